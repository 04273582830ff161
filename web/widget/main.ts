// widget.js: makes <tintype-feed> known to the page, and puts one where a script tag with data-feed stands.

import { TintypeFeed } from "./element";

const NAME = "tintype-feed";
const ATTRIBUTES = ["feed", "layout", "count", "columns", "account"];

function begin(): void {
  const script = document.currentScript as HTMLScriptElement | null;
  const source = script?.src ?? document.querySelector<HTMLScriptElement>('script[src*="/widget.js"]')?.src;
  if (!source || !("customElements" in window) || !("ResizeObserver" in window)) return;
  TintypeFeed.base = source.replace(/\/widget\.js.*$/, "");
  if (!customElements.get(NAME)) customElements.define(NAME, TintypeFeed);
  if (script?.dataset["feed"]) place(script);
}

function place(script: HTMLScriptElement): void {
  const feed = document.createElement(NAME);
  for (const name of ATTRIBUTES) {
    const value = script.dataset[name];
    if (value) feed.setAttribute(name, value);
  }
  const into = script.dataset["into"];
  const put = (): void => {
    const home = into ? document.querySelector(into) : null;
    if (home) home.append(feed);
    else if (script.parentElement && script.parentElement !== document.head) script.after(feed);
    else console.error("Tintype: put the script where the feed shall be, or say where by data-into");
  };
  if (into && document.readyState === "loading") document.addEventListener("DOMContentLoaded", put);
  else put();
}

begin();
