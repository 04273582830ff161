// <tintype-feed feed="KEY">: keeps its space from the first moment, and fills it when the feed is there.

import { LAYOUTS, masonry, plan, shape } from "./arranging";
import type { Layout, Plan } from "./arranging";
import { button, element } from "./drawing";
import { Lightbox } from "./lightbox";
import { ratio, resized } from "./pictures";
import { Away, posts } from "./posts";
import type { Post } from "./posts";
import { tile, waiting } from "./tiles";
import { wordsFor } from "./words";
import css from "./widget.css";

const COUNT = 9;
const COLUMNS = 3;
const MOST = 100;
const LIST_TILE = 128; // pixels: the 8rem of widget.css
const AGAIN = [5_000, 30_000]; // milliseconds after which a server that was away is asked once more

export class TintypeFeed extends HTMLElement {
  static base = "";
  static readonly observedAttributes = ["feed", "layout", "count", "columns", "account"];

  private readonly root = this.attachShadow({ mode: "open" });
  private section = element("section", {});
  private list = element("ul", {});
  private readonly instead = element("slot", { hidden: true }); // what stands between the tags
  private shown: readonly Post[] | undefined;
  private openers: readonly HTMLButtonElement[] = [];
  private space: Plan | undefined;
  private kept = 0; // posts for which there is space
  private round = 0; // of drawing; what an earlier one asked for comes too late
  private readonly watcher = new ResizeObserver(() => this.arrange());
  private readonly settle = (): void => this.fit();

  connectedCallback(): void {
    dress(this.root);
    this.draw();
    this.watcher.observe(this);
    addEventListener("scroll", this.settle, { passive: true });
    document.addEventListener("visibilitychange", this.settle);
  }

  disconnectedCallback(): void {
    this.round++;
    this.watcher.disconnect();
    removeEventListener("scroll", this.settle);
    document.removeEventListener("visibilitychange", this.settle);
  }

  attributeChangedCallback(_name: string, old: string | null, now: string | null): void {
    if (this.isConnected && this.root.hasChildNodes() && old !== now) this.draw();
  }

  private get layout(): Layout {
    const asked = this.getAttribute("layout") ?? "";
    return LAYOUTS.find((one) => one === asked) ?? "grid";
  }

  private number(name: string, other: number, most: number): number {
    const asked = Math.floor(Number(this.getAttribute(name)));
    return asked >= 1 ? Math.min(asked, most) : other;
  }

  private draw(): void {
    const words = wordsFor(this);
    const count = this.number("count", COUNT, MOST);
    const kind = `feed ${this.layout}${this.rightToLeft ? " rtl" : ""}`;
    this.round++;
    this.shown = undefined;
    this.kept = count;
    this.list = element("ul", { role: "list", part: "list" }, ...Array.from({ length: count }, waiting));
    this.section = element(
      "section",
      { class: kind, part: "feed", lang: words.language, "aria-label": words.say("label"), "aria-busy": "true" },
      this.list,
      this.instead,
    );
    this.instead.hidden = true;
    this.root.replaceChildren(...this.root.querySelectorAll("style"), this.section);
    this.arrange();
    void this.load({ key: this.getAttribute("feed") ?? "", count, account: this.getAttribute("account") ?? "" }, 0);
  }

  private get rightToLeft(): boolean {
    return getComputedStyle(this).direction === "rtl";
  }

  private async load(wanted: { key: string; count: number; account: string }, tries: number): Promise<void> {
    const round = this.round;
    try {
      if (!wanted.key) throw new Away('the feed has no key: say feed="…", or data-feed="…" on the script', false);
      const found = await posts(TintypeFeed.base, wanted);
      if (round === this.round) this.fill(found.slice(0, wanted.count));
    } catch (trouble) {
      if (round !== this.round) return;
      const later = trouble instanceof Away && trouble.again ? AGAIN[tries] : undefined;
      if (later !== undefined) setTimeout(() => round === this.round && void this.load(wanted, tries + 1), later);
      this.leave(later === undefined);
      if (tries === 0) console.error(`Tintype: ${trouble instanceof Error ? trouble.message : String(trouble)}`);
    }
  }

  private fill(found: readonly Post[]): void {
    const words = wordsFor(this);
    const wide = this.wide();
    const tiles = found.map((post) => tile(post, wide, this.layout === "list", words));
    this.shown = found;
    this.instead.hidden = true;
    this.openers = tiles.map((one) => one.opener);
    this.list.replaceChildren(...tiles.map((one) => one.item));
    this.section.setAttribute("aria-busy", "false");
    if (this.layout === "slider" && found.length > 1) this.turning(words.say("back"), words.say("on"));
    if (!found.length) return this.leave(true);
    let box: Lightbox | undefined;
    this.openers.forEach((opener, at) =>
      opener.addEventListener("click", () => {
        if (!box) {
          box = new Lightbox(found, words, this.rightToLeft, (post) => this.openers[post]?.focus());
          this.section.append(box.dialog);
        }
        box.open(at);
      }),
    );
    this.arrange();
    this.fit();
  }

  // Nothing to show: what stands between the tags, else nothing at all. `forGood` gives the space back, too.
  private leave(forGood: boolean): void {
    if (forGood) this.shown = [];
    this.list.replaceChildren();
    this.section.setAttribute("aria-busy", "false");
    this.instead.hidden = false;
    this.fit();
  }

  private wide(): number {
    if (this.layout === "list") return LIST_TILE;
    return (this.clientWidth || innerWidth) / (this.space?.columns ?? COLUMNS);
  }

  // Keeps or gives the space that the width asks for.
  private arrange(): void {
    const columns = this.number("columns", COLUMNS, 8);
    this.space = plan(this.layout, columns, this.kept, this.clientWidth || innerWidth);
    const style = this.section.style;
    style.setProperty("--columns", String(this.space.columns));
    style.setProperty("--rows", String(this.space.rows));
    style.setProperty("--shape", shape(this.space));
    const used = plan(this.layout, columns, this.shown?.length ?? this.kept, this.clientWidth || innerWidth);
    style.setProperty("--used", shape(used));
    style.setProperty("--used-rows", String(used.rows));
    if (this.layout === "masonry") this.stack();
    if (this.shown) {
      const shown = this.shown;
      const images = [...this.list.querySelectorAll("img")];
      resized(this.list, (image) => this.wide() * Math.max(1, ratio(shown[images.indexOf(image)] ?? shown[0]!)));
    }
  }

  private stack(): void {
    const items = [...this.list.children] as HTMLElement[];
    const heights = items.map((_, at) => 1 / (this.shown?.[at] ? ratio(this.shown[at]) : 0.8));
    masonry(heights, this.space?.columns ?? COLUMNS).forEach((place, at) => {
      for (const [name, value] of Object.entries(place)) items[at]?.style.setProperty(`--${name}`, String(value));
    });
  }

  // Gives back space that no post needs, but not before the eyes of somebody who reads what stands below.
  private fit(): void {
    const needed = this.shown?.length ?? this.kept;
    if (!this.space || needed >= this.kept) return;
    const { top, height } = this.section.getBoundingClientRect();
    const rows = plan(this.layout, this.space.columns, needed, this.clientWidth).rows;
    const bottom = top + (height * rows) / this.space.rows;
    if (rows === this.space.rows || bottom >= innerHeight || document.visibilityState === "hidden") {
      this.kept = needed;
      this.arrange();
    }
  }

  private turning(back: string, on: string): void {
    const calm = matchMedia("(prefers-reduced-motion: reduce)");
    const move = (by: number): void => {
      const left = by * this.list.clientWidth * (this.rightToLeft ? -1 : 1);
      this.list.scrollBy({ left, behavior: calm.matches ? "auto" : "smooth" });
    };
    const first = button("turn back", "back", back, () => move(-1));
    const second = button("turn on", "on", on, () => move(1));
    const look = (): void => {
      const at = Math.abs(this.list.scrollLeft);
      first.disabled = at < 2;
      second.disabled = at + this.list.clientWidth > this.list.scrollWidth - 2;
    };
    this.list.addEventListener("scroll", look, { passive: true });
    this.section.append(first, second);
    new ResizeObserver(look).observe(this.list);
  }
}

let sheet: CSSStyleSheet | undefined;

// A style sheet by script, which a page's policy for styles does not reach; old browsers get an element.
function dress(root: ShadowRoot): void {
  if (root.adoptedStyleSheets?.length || root.querySelector("style")) return;
  try {
    if (!sheet) {
      sheet = new CSSStyleSheet();
      sheet.replaceSync(css);
    }
    root.adoptedStyleSheets = [sheet];
  } catch {
    root.append(element("style", {}, css));
  }
}
