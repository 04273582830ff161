// One post large, with the keyboard: arrows go through pictures and posts, Escape goes back to where one was.

import { button, element } from "./drawing";
import { film, ground, picture, ratio } from "./pictures";
import type { Picture, Post } from "./posts";
import { alt, link, time } from "./tiles";
import type { Words } from "./words";

interface Slide {
  readonly post: number;
  readonly shown: Picture;
  readonly place: number; // among the pictures of its post
  readonly of: number;
}

const SWIPE = 48; // pixels

export class Lightbox {
  readonly dialog: HTMLDialogElement;
  private readonly slides: readonly Slide[];
  private readonly stage = element("div", { class: "stage" });
  private readonly text = element("div", { class: "words" });
  private readonly said = element("p", { class: "said", role: "status" });
  private readonly back: HTMLButtonElement;
  private readonly on: HTMLButtonElement;
  private at = 0;
  private touched: number | undefined;

  // `left` is told with which post it was closed.
  constructor(
    private readonly posts: readonly Post[],
    private readonly words: Words,
    private readonly rightToLeft: boolean,
    left: (post: number) => void,
  ) {
    this.slides = posts.flatMap((post, number) => slidesOf(post, number));
    this.back = button("turn back", "back", words.say("back"), () => this.turn(-1));
    this.on = button("turn on", "on", words.say("on"), () => this.turn(1));
    const close = button("close", "close", words.say("close"), () => this.dialog.close());
    this.dialog = element(
      "dialog",
      { class: rightToLeft ? "rtl" : "", "aria-label": words.say("label"), part: "lightbox" },
      close,
      this.back,
      this.stage,
      this.on,
      this.text,
      this.said,
    );
    this.dialog.addEventListener("keydown", (event) => this.press(event));
    this.dialog.addEventListener("click", (event) => {
      if (event.target === this.dialog || event.target === this.stage) this.dialog.close();
    });
    this.dialog.addEventListener("close", () => {
      this.stage.replaceChildren(); // a film stops
      left(this.slides[this.at]?.post ?? 0);
    });
    this.listen();
  }

  open(post: number): void {
    this.dialog.showModal();
    this.show(this.slides.findIndex((slide) => slide.post === post));
  }

  private show(at: number): void {
    const slide = this.slides[at];
    const post = slide && this.posts[slide.post];
    if (!slide || !post) return;
    this.at = at;
    const name = slide.shown.altText || alt(post, this.words);
    const number = this.words.say("of", slide.post + 1, this.posts.length);
    const part = slide.of > 1 ? this.words.say("of", slide.place + 1, slide.of) : "";
    const wide = Math.min(innerWidth, innerHeight * ratio(slide.shown));
    const moving = film(slide.shown, name);
    this.stage.replaceChildren(...(moving ? [moving] : [ground(slide.shown), picture(slide.shown, name, wide, false)]));
    this.stage.style.setProperty("--ratio", String(ratio(slide.shown)));
    const caption = element("p", { class: "caption", dir: "auto" }, post.caption);
    this.text.replaceChildren(
      ...(post.caption ? [caption] : []),
      element(
        "p",
        { class: "foot" },
        part && element("span", { class: "part" }, `${this.words.say("picture")} ${part}`),
        time(post, this.words),
        link(post, this.words),
      ),
    );
    if (caption.scrollHeight > caption.clientHeight) caption.tabIndex = 0;
    this.back.disabled = at === 0;
    this.on.disabled = at === this.slides.length - 1;
    if (this.back.disabled || this.on.disabled) this.rescue();
    this.said.textContent = part ? `${number}, ${this.words.say("picture")} ${part}` : number;
  }

  // A button that can do no more gives the focus to the other one, not to nobody.
  private rescue(): void {
    const active = (this.dialog.getRootNode() as ShadowRoot).activeElement;
    if (active === null || active === this.dialog || (active as HTMLButtonElement).disabled) {
      const other = this.on.disabled ? this.back : this.on;
      (other.disabled ? this.dialog.querySelector<HTMLElement>(".close") : other)?.focus();
    }
  }

  private turn(by: number): void {
    this.show(Math.min(this.slides.length - 1, Math.max(0, this.at + by)));
  }

  private turnPost(by: number): void {
    const post = (this.slides[this.at]?.post ?? 0) + by;
    const at = this.slides.findIndex((slide) => slide.post === post);
    if (at >= 0) this.show(at);
  }

  private press(event: KeyboardEvent): void {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const on = this.rightToLeft ? -1 : 1;
    const deeds: Readonly<Record<string, () => void>> = {
      ArrowRight: () => this.turn(on),
      ArrowLeft: () => this.turn(-on),
      PageDown: () => this.turnPost(1),
      PageUp: () => this.turnPost(-1),
      Home: () => this.show(0),
      End: () => this.show(this.slides.length - 1),
    };
    const deed = deeds[event.key];
    // Within a film the arrows wind it, as its own controls have it.
    if (!deed || event.target instanceof HTMLVideoElement) return;
    event.preventDefault();
    deed();
  }

  private listen(): void {
    this.stage.addEventListener("touchstart", (event) => {
      this.touched = event.touches.length === 1 ? event.touches[0]?.clientX : undefined;
    }, { passive: true });
    this.stage.addEventListener("touchend", (event) => {
      const moved = (event.changedTouches[0]?.clientX ?? 0) - (this.touched ?? Number.NaN);
      if (Math.abs(moved) > SWIPE) this.turn(moved < 0 !== this.rightToLeft ? 1 : -1);
    });
    // The page behind does not scroll; a long caption does.
    this.dialog.addEventListener("wheel", (event) => {
      if (!(event.target as Element).closest(".caption")) event.preventDefault();
    }, { passive: false });
  }
}

function slidesOf(post: Post, number: number): readonly Slide[] {
  const shown = post.children?.length ? post.children : [post];
  return shown.map((one, place) => ({ post: number, shown: one, place, of: shown.length }));
}
