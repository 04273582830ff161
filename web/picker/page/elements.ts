// Elements by plain calls: no markup from strings, so nothing that a caption holds can become markup.

type Attributes = Record<string, string | boolean | undefined | ((event: never) => void)>;

export function element<K extends keyof HTMLElementTagNameMap>(
  name: K,
  attributes: Attributes = {},
  ...children: (Node | string | null | undefined)[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === "function") made.addEventListener(key.slice(2), value as EventListener);
    else if (value === true) made.setAttribute(key, "");
    else if (typeof value === "string") made.setAttribute(key, value);
  }
  made.append(...children.filter((child): child is Node | string => child !== null && child !== undefined && child !== ""));
  return made;
}

const SVG = "http://www.w3.org/2000/svg";

const PATHS: Readonly<Record<string, string>> = {
  close: "M6 6l12 12M18 6L6 18",
  back: "M14 6l-6 6 6 6",
  check: "M5 12.5l4.5 4.5L19 7.5",
  album: "M8 4h12v12H8zM4 8v12h12",
  video: "M8 5.5v13l11-6.5z",
  camera: "M4 7.5h3.5L9 5h6l1.500 2.500H20v11.500H4zM12 16.500a3.500 3.500 0 1 0 0-7 3.500 3.500 0 0 0 0 7",
  search: "M11 17a6 6 0 1 0 0-12 6 6 0 0 0 0 12M15.500 15.500L20 20",
};

export function icon(name: string): SVGSVGElement {
  const drawn = document.createElementNS(SVG, "svg");
  const path = document.createElementNS(SVG, "path");
  drawn.setAttribute("viewBox", "0 0 24 24");
  drawn.setAttribute("aria-hidden", "true");
  drawn.setAttribute("class", `icon of-${name}`);
  path.setAttribute("d", PATHS[name] ?? "");
  drawn.append(path);
  return drawn;
}
