// The grid of posts: buttons in a list, walked with the arrow keys, each saying what it is to those who do not see it.

import { element, icon } from "./elements";
import type { Item } from "./given";
import type { Words } from "./words";

export interface Cell {
  readonly item: Item;
  readonly button: HTMLButtonElement;
}

export interface Reading {
  isChosen(item: Item): boolean;
  inAlbum(item: Item): number;
  pressed(item: Item): void;
  taken(item: Item): void;
}

const KEYS = ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End"];

export class Grid {
  readonly list: HTMLUListElement;
  private cells: Cell[] = [];

  constructor(
    private readonly words: Words,
    private readonly reading: Reading,
    label: string,
  ) {
    this.list = element("ul", { class: "grid", "aria-label": label, onkeydown: (event: KeyboardEvent) => this.walk(event) });
  }

  add(items: readonly Item[], total?: number): void {
    const from = this.cells.length;
    items.forEach((item, at) => {
      const button = this.button(item, from + at, total);
      this.cells.push({ item, button });
      this.list.append(element("li", {}, button));
    });
    this.refresh();
  }

  refresh(): void {
    this.cells.forEach(({ item, button }, at) => {
      const inside = item.children ? this.reading.inAlbum(item) : 0;
      const chosen = item.children ? inside > 0 : this.reading.isChosen(item);
      button.classList.toggle("chosen", chosen);
      button.tabIndex = at === this.current() ? 0 : -1;
      if (item.children) {
        const count = button.querySelector(".count");
        if (count) count.textContent = inside ? `${inside}/${item.children.length}` : String(item.children.length);
      } else {
        button.setAttribute("aria-pressed", String(chosen));
      }
    });
  }

  focus(): void {
    this.cells[this.current()]?.button.focus();
  }

  private current(): number {
    const at = this.cells.findIndex(({ button }) => button === document.activeElement);
    if (at >= 0) return at;
    const last = this.cells.findIndex(({ button }) => button.tabIndex === 0);
    return Math.max(0, last);
  }

  private button(item: Item, at: number, total?: number): HTMLButtonElement {
    const isAlbum = Boolean(item.children);
    const place = total === undefined ? "" : this.words.say("of", { i: at + 1, n: total });
    const button = element(
      "button",
      {
        type: "button",
        class: `cell ${item.kind.toLowerCase()}`,
        "aria-label": this.label(item, place),
        "aria-disabled": item.choosable ? undefined : "true",
        title: item.choosable ? item.caption.slice(0, 120) || undefined : this.words.say("not_here"),
        onclick: () => this.reading.pressed(item),
        ondblclick: () => this.reading.taken(item),
        onfocus: () => this.cells.forEach((cell) => (cell.button.tabIndex = cell.button === button ? 0 : -1)),
      },
      this.picture(item),
      element("span", { class: "mark" }, icon("check")),
      isAlbum ? element("span", { class: "badge" }, icon("album"), element("span", { class: "count" })) : null,
      item.kind === "VIDEO" ? element("span", { class: "badge" }, icon("video")) : null,
      place ? element("span", { class: "place" }, place) : null,
    );
    return button;
  }

  private label(item: Item, place: string): string {
    const kind = item.children ? `${this.words.say("album")}, ${this.words.say("items", { n: item.children.length })}` : this.words.say(item.kind === "VIDEO" ? "video" : "photo");
    const parts = [kind, place, this.words.day(item.at), item.alt, item.caption.slice(0, 160), item.choosable ? "" : this.words.say("not_here")];
    return parts.filter(Boolean).join(", ");
  }

  private picture(item: Item): HTMLElement {
    if (!item.thumb) return element("span", { class: "nothing" }, icon(item.kind === "VIDEO" ? "video" : "camera"));
    const image = element("img", { alt: "", loading: "lazy", decoding: "async", width: "320", height: "320" });
    const address = item.thumb;
    let tries = 0;
    image.addEventListener("load", () => image.classList.add("there"));
    image.addEventListener("error", () => {
      tries += 1;
      if (tries < 3) setTimeout(() => (image.src = `${address}?again=${tries}`), 1200 * tries);
      else image.replaceWith(element("span", { class: "nothing" }, icon("camera")));
    });
    image.src = address;
    return image;
  }

  private walk(event: KeyboardEvent): void {
    if (!KEYS.includes(event.key) || !this.cells.length) return;
    event.preventDefault();
    const step = this.step(event.key);
    const at = Math.min(this.cells.length - 1, Math.max(0, this.current() + step));
    this.cells[at]?.button.focus();
  }

  private step(key: string): number {
    const rightToLeft = getComputedStyle(this.list).direction === "rtl" ? -1 : 1;
    if (key === "ArrowRight") return rightToLeft;
    if (key === "ArrowLeft") return -rightToLeft;
    if (key === "Home") return -this.cells.length;
    if (key === "End") return this.cells.length;
    const columns = getComputedStyle(this.list).gridTemplateColumns.split(" ").length;
    return key === "ArrowDown" ? columns : -columns;
  }
}
