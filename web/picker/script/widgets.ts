// Elements that need no script of the page: inputs of type filepicker, buttons with data-fp-url, previews.

import type { FPFile, Options } from "./words";

export interface Calls {
  setKey(key: string): void;
  pick(options: Options, success: (file: FPFile) => void): unknown;
  pickMultiple(options: Options, success: (files: FPFile[]) => void): unknown;
  exportFile(url: string, options: Options): unknown;
  makeDropPane(target: HTMLElement, options: Options): boolean;
}

const PLAIN =
  "container mimetype mimetypes extension extensions openTo debug signature policy language hide maxSize maxFiles suggestedFilename";
const DASHED: Readonly<Record<string, string>> = {
  "background-upload": "backgroundUpload",
  "custom-css": "customCss",
  "custom-text": "customText",
  "show-close": "showClose",
  "image-quality": "imageQuality",
  "image-dim": "imageDim",
  "image-max": "imageMax",
  "image-min": "imageMin",
  "store-location": "storeLocation",
  "store-path": "storePath",
  "store-container": "storeContainer",
  "store-region": "storeRegion",
  "store-access": "storeAccess",
};
const LISTS = new Set(["mimetypes", "extensions", "imageDim", "imageMin", "imageMax"]);

function optionsOf(element: Element, calls: Calls): Options {
  const found: Options = {};
  const names = [...PLAIN.split(" ").map((name) => [name, name] as const), ...Object.entries(DASHED)];
  for (const [attribute, name] of names) {
    const value = element.getAttribute(`data-fp-${attribute}`);
    if (value !== null && value !== "") found[name] = LISTS.has(name) ? value.split(",") : value;
  }
  for (const name of ["services", "service"]) {
    const value = element.getAttribute(`data-fp-${name}`);
    if (value) found[name] = name === "services" ? value.split(",") : value;
  }
  const key = element.getAttribute("data-fp-apikey");
  if (key) calls.setKey(key);
  return found;
}

function tell(input: HTMLInputElement, files: FPFile[]): void {
  input.value = files.map((file) => file.url).join();
  const event = new Event("change", { bubbles: true });
  input.dispatchEvent(Object.assign(event, { fpfile: files[0], fpfiles: files }));
}

function pickButton(input: HTMLInputElement, calls: Calls, done: (files: FPFile[]) => void): HTMLButtonElement {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = input.getAttribute("data-fp-button-text") ?? "Pick File";
  button.className = input.getAttribute("data-fp-button-class") ?? (input.className || "fp__btn");
  button.onclick = () => {
    const options = optionsOf(input, calls);
    if (input.getAttribute("data-fp-multiple") === "true") calls.pickMultiple(options, done);
    else calls.pick(options, (file) => done([file]));
  };
  return button;
}

function pickWidget(input: HTMLInputElement, calls: Calls): void {
  input.style.display = "none";
  input.after(pickButton(input, calls, (files) => tell(input, files)));
}

function dropWidget(input: HTMLInputElement, calls: Calls): void {
  const options = optionsOf(input, calls);
  const invitation = input.getAttribute("data-fp-drag-text") ?? "Or drop files here";
  const around = document.createElement("div");
  const pane = document.createElement("div");
  around.className = input.getAttribute("data-fp-class") ?? input.className;
  pane.className = input.getAttribute("data-fp-drag-class") ?? "";
  pane.setAttribute("aria-live", "polite");
  Object.assign(pane.style, { border: "1px dashed GrayText", borderRadius: "3px", display: "inline-block", padding: "2px 8px" });
  pane.textContent = invitation;
  const done = (files: FPFile[]): void => {
    pane.textContent = files.map((file) => file.filename).join(", ");
    tell(input, files);
  };
  const button = pickButton(input, calls, done);
  button.className = input.getAttribute("data-fp-button-class") ?? "fp__btn";
  around.append(button, " ", pane);
  input.style.display = "none";
  input.after(around);
  calls.makeDropPane(pane, {
    ...options,
    multiple: input.getAttribute("data-fp-multiple") === "true",
    location: options["storeLocation"],
    path: options["storePath"],
    access: options["storeAccess"],
    container: options["storeContainer"],
    dragEnter: () => (pane.style.borderStyle = "solid"),
    dragLeave: () => (pane.style.borderStyle = "dashed"),
    onProgress: (percent: number) => (pane.textContent = `${Math.round(percent)} %`),
    onError: (kind: string, message: string) => (pane.textContent = message || kind),
    onSuccess: done,
  });
}

function exportWidget(element: HTMLElement, calls: Calls): void {
  element.addEventListener("click", (event) => {
    const url = element.getAttribute("data-fp-url");
    if (!url) return;
    event.preventDefault();
    calls.exportFile(url, optionsOf(element, calls));
  });
}

function preview(element: HTMLElement): void {
  const picture = document.createElement("img");
  picture.src = element.getAttribute("data-fp-url") ?? "";
  picture.alt = element.getAttribute("aria-label") ?? "";
  picture.style.maxWidth = "100%";
  element.append(picture);
}

const KINDS: readonly (readonly [string, (element: HTMLElement, calls: Calls) => void])[] = [
  ['input[type="filepicker"]', (element, calls) => pickWidget(element as HTMLInputElement, calls)],
  ['input[type="filepicker-dragdrop"]', (element, calls) => dropWidget(element as HTMLInputElement, calls)],
  ['[type="filepicker-preview"][data-fp-url]', preview],
  ['button[data-fp-url], a[data-fp-url], input[type="button"][data-fp-url]', exportWidget],
];

const built = new WeakSet<Element>();

export function constructWidget(target: unknown, calls: Calls): void {
  const element = ((target as { jquery?: unknown; 0?: unknown })?.jquery ? (target as { 0: unknown })[0] : target) as HTMLElement;
  if (built.has(element)) return;
  const kind = KINDS.find(([selector]) => element.matches(selector));
  if (!kind) return;
  built.add(element);
  kind[1](element, calls);
}

export function buildWidgets(calls: Calls): void {
  for (const [selector] of KINDS) {
    document.querySelectorAll(selector).forEach((element) => constructWidget(element, calls));
  }
}
