// A picture in the formats and sizes that there are of it, on a ground that is there at once.

import { element } from "./drawing";
import type { Picture } from "./posts";
import { has } from "./posts";
import { draw } from "./thumbhash";

export function address(one: Picture): string {
  return (one.mediaType === "VIDEO" ? one.posterUrl : one.mediaUrl) ?? "";
}

export function ratio(one: Picture): number {
  return one.width && one.height ? one.width / one.height : 1;
}

// `wide` is how many pixels of the page it fills across.
export function picture(one: Picture, alt: string, wide: number, lazy: boolean): HTMLElement {
  const sizes = `${Math.ceil(wide)}px`;
  const image = element("img", {
    alt,
    decoding: "async",
    loading: lazy ? "lazy" : "eager",
    width: one.width ? String(one.width) : undefined,
    height: one.height ? String(one.height) : undefined,
    sizes,
    srcset: one.srcset?.jpeg,
  });
  const made = element("picture", {});
  for (const kind of ["avif", "webp"] as const) {
    const srcset = one.srcset?.[kind];
    if (srcset) made.append(element("source", { type: `image/${kind}`, srcset, sizes }));
  }
  made.append(image);
  const there = (): void => image.classList.add("there");
  image.addEventListener("load", there);
  image.src = address(one);
  if (image.complete && image.naturalWidth) there();
  return made;
}

export function resized(place: ParentNode, wide: (image: HTMLImageElement) => number): void {
  for (const image of place.querySelectorAll("img")) {
    const sizes = `${Math.ceil(wide(image))}px`;
    for (const one of image.parentElement?.children ?? []) one.setAttribute("sizes", sizes);
  }
}

// The colour of a picture, and its ThumbHash over it.
export function ground(one: Picture): HTMLElement {
  const made = element("span", { class: "ground", "aria-hidden": "true" });
  const { color, thumbhash } = one.placeholder ?? {};
  if (color) made.style.background = color;
  const drawn = thumbhash && draw(thumbhash, one.width ?? 1, one.height ?? 1);
  if (drawn) made.append(drawn);
  return made;
}

export function film(one: Picture, label: string): HTMLElement | undefined {
  if (one.mediaType !== "VIDEO" || !has(one.mediaUrl)) return undefined;
  return element("video", {
    controls: true,
    playsinline: true,
    preload: "none",
    poster: one.posterUrl ?? undefined,
    src: one.mediaUrl,
    "aria-label": label,
    width: one.width ? String(one.width) : undefined,
    height: one.height ? String(one.height) : undefined,
  });
}
