// Elements by plain calls: no markup from strings, so nothing that a caption holds can become markup.

type Attributes = Readonly<Record<string, string | boolean | undefined>>;
type Child = Node | string | false | null | undefined;

export function element<K extends keyof HTMLElementTagNameMap>(
  name: K,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === true) made.setAttribute(key, "");
    else if (typeof value === "string") made.setAttribute(key, value);
  }
  made.append(...children.filter((child): child is Node | string => Boolean(child)));
  return made;
}

const PATHS = {
  close: "M6 6l12 12M18 6L6 18",
  back: "M14.5 5.5L8 12l6.500 6.500",
  on: "M9.500 5.500L16 12l-6.500 6.500",
  album: "M8 4h12v12H8zM4 8v12h12",
  video: "M8 5.500v13l11-6.500z",
} as const;

export type Icon = keyof typeof PATHS;

export function icon(name: Icon): SVGSVGElement {
  const space = "http://www.w3.org/2000/svg";
  const drawn = document.createElementNS(space, "svg");
  const path = document.createElementNS(space, "path");
  drawn.setAttribute("viewBox", "0 0 24 24");
  drawn.setAttribute("aria-hidden", "true");
  path.setAttribute("d", PATHS[name]);
  drawn.append(path);
  return drawn;
}

// A button that shows an icon and says a word.
export function button(kind: string, name: Icon, word: string, press: () => void): HTMLButtonElement {
  const made = element("button", { type: "button", class: kind, "aria-label": word, title: word }, icon(name));
  made.addEventListener("click", press);
  return made;
}
