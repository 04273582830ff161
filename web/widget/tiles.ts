// The posts as tiles, and the empty tiles that keep their places.

import { element, icon } from "./drawing";
import { ground, picture, ratio } from "./pictures";
import type { Post } from "./posts";
import type { Words } from "./words";

export interface Tile {
  readonly item: HTMLLIElement;
  readonly opener: HTMLButtonElement;
}

export function waiting(): HTMLLIElement {
  return element("li", { class: "tile", part: "tile", "aria-hidden": "true" });
}

export function alt(post: Post, words: Words): string {
  return post.altText || words.say("post", words.day(post.timestamp));
}

export function tile(post: Post, wide: number, told: boolean, words: Words): Tile {
  const cover = wide * Math.max(1, ratio(post));
  const opener = element(
    "button",
    { type: "button", class: "open", "aria-haspopup": "dialog" },
    ground(post),
    picture(post, alt(post, words), cover, true),
    kind(post, words),
  );
  const item = element("li", { class: "tile", part: "tile" }, opener, told && text(post, words));
  return { item, opener };
}

function kind(post: Post, words: Words): HTMLElement | undefined {
  const many = post.children?.length ?? 0;
  if (post.mediaType === "VIDEO") return badge("video", words.say("video"));
  return many > 1 ? badge("album", words.say("album", many)) : undefined;
}

function badge(name: "video" | "album", word: string): HTMLElement {
  return element("span", { class: "kind" }, icon(name), element("span", { class: "said" }, `, ${word}`));
}

function text(post: Post, words: Words): HTMLElement {
  return element(
    "div",
    { class: "text", part: "text" },
    post.caption && element("p", { class: "caption", dir: "auto" }, post.caption),
    element("p", { class: "foot" }, time(post, words), " ", link(post, words)),
  );
}

export function time(post: Post, words: Words): HTMLElement {
  return element("time", { datetime: post.timestamp }, words.day(post.timestamp));
}

export function link(post: Post, words: Words): HTMLElement {
  return element("a", { href: safe(post.permalink), target: "_blank", rel: "noopener noreferrer" }, words.say("link"));
}

function safe(url: string): string | undefined {
  return /^https?:\/\//.test(url) ? url : undefined;
}
