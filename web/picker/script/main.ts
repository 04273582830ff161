// filepicker.js: the calls of a page, as they have been since 2012, and as promises.

import { makeDropPane } from "./drop";
import { open, type Opened } from "./dialog";
import { FilepickerException, FPError } from "./errors";
import { Files } from "./files";
import { SERVICES, type Purpose } from "./options";
import { isOwn, ownAddress, placeOfScript, withoutConversion } from "./place";
import { buildWidgets, constructWidget } from "./widgets";
import { arranged, told, type Ears, type FPFile, type Options, type Progress } from "./words";

type Stub = { hostname?: string; _queue?: [string, ArrayLike<unknown>][]; [name: string]: unknown };

declare global {
  interface Window {
    filepicker?: Stub;
  }
}

const found: Stub = window.filepicker ?? {};
const place = placeOfScript();
if (typeof found.hostname === "string") place.host = found.hostname.replace(/\/+$/, "");
const files = new Files(place);

function keyed(): void {
  if (!place.key) throw new FilepickerException("API Key not found");
}

// A mistake in the call is thrown where it was made; what fails later is told.
function attempt<T>(ears: Ears<T>, work: (progress?: Progress) => Promise<T>): Promise<T> {
  keyed();
  try {
    return told(work(ears.progress), ears);
  } catch (error) {
    if (error instanceof FPError) return told(Promise.reject(error), ears);
    throw error;
  }
}

function dialog<T>(ears: Ears<T>, purpose: Purpose, options: Options, of: (files: FPFile[]) => T, more?: Options): Opened<T> {
  keyed();
  if (options["debug"]) return Object.assign(told(dummy().then(of), ears), { close: () => undefined });
  const opened = open(place, { purpose, options, more: more ?? {}, progress: ears.progress });
  return Object.assign(told(opened.then(of), ears), { close: opened.close });
}

function dummy(): Promise<FPFile[]> {
  const file = { id: 1, url: `${place.host}/api/file/-nBq2onTSemLBxlcBWn1`, filename: "test.png", mimetype: "image/png", size: 58979, client: "computer" };
  return new Promise((resolve) => setTimeout(() => resolve([file]), 1));
}

const first = (chosen: FPFile[]): FPFile => chosen[0] as FPFile;
const every = (chosen: FPFile[]): FPFile[] => chosen;

function storing(pickOptions: Options, store: Options): Options {
  const options: Options = {
    ...pickOptions,
    storeLocation: store["location"] ?? "S3",
    storePath: store["path"],
    storeContainer: store["storeContainer"] ?? store["container"],
    storeRegion: store["storeRegion"] ?? store["region"],
    storeAccess: store["access"] ?? "private",
  };
  const path = options["storePath"];
  if (pickOptions["multiple"] && typeof path === "string" && path && !path.endsWith("/")) {
    throw new FilepickerException('pickAndStore with multiple files requires a path that ends in "/"');
  }
  return options;
}

function unavailable(name: string, hint: string, rest: readonly unknown[]): Promise<never> {
  const { ears } = arranged<never>(rest[0], rest.slice(1));
  console.warn(`filepicker.${name}: ${hint}`);
  return told(Promise.reject(new FPError(102, hint)), ears);
}

const calls = {
  API_VERSION: "v2",
  version: "3.0.0",
  services: SERVICES,
  FPError,
  FilepickerException,

  setKey(key: string): void {
    place.key = key;
  },

  pick(given?: unknown, ...rest: unknown[]) {
    const { options, ears } = arranged<FPFile>(given, rest);
    return dialog(ears, "open", options, first);
  },

  pickMultiple(given?: unknown, ...rest: unknown[]) {
    const { options, ears } = arranged<FPFile[]>(given, rest);
    return dialog(ears, "open", options, every, { multi: true });
  },

  pickAndStore(pickOptions: unknown, storeOptions: unknown, ...rest: unknown[]) {
    keyed();
    if (!pickOptions || !storeOptions || typeof pickOptions === "function" || typeof storeOptions === "function") {
      throw new FilepickerException("Not all required parameters given, missing picker or store options");
    }
    const options = storing(pickOptions as Options, storeOptions as Options);
    const { ears } = arranged<FPFile[]>({}, rest);
    return dialog(ears, "open", options, every, (pickOptions as Options)["multiple"] ? { multi: true } : {});
  },

  read(input: unknown, given?: unknown, ...rest: unknown[]) {
    const { options, ears } = arranged<string>(given, rest);
    return attempt(ears, (progress) => files.read(input, options, progress));
  },

  store(input: never, given?: unknown, ...rest: unknown[]) {
    const { options, ears } = arranged<FPFile>(given, rest);
    return attempt(ears, (progress) => files.store(input, options, progress));
  },

  storeUrl(url: string, given?: unknown, ...rest: unknown[]) {
    const { options, ears } = arranged<FPFile>(given, rest);
    return attempt(ears, (progress) => files.storeUrl(url, options, progress));
  },

  write(file: unknown, input: never, given?: unknown, ...rest: unknown[]) {
    const { options, ears } = arranged<FPFile>(given, rest);
    return attempt(ears, (progress) => files.write(file, input, options, progress));
  },

  writeUrl(file: unknown, url: string, given?: unknown, ...rest: unknown[]) {
    const { options, ears } = arranged<FPFile>(given, rest);
    return attempt(ears, (progress) => files.writeUrl(file, url, options, progress));
  },

  convert(file: unknown, wanted: Options, given?: unknown, ...rest: unknown[]) {
    if (!file) throw new FilepickerException("No fpfile given - nothing to convert!");
    const { options, ears } = arranged<FPFile>(given, rest);
    return attempt(ears, (progress) => files.convert(file, wanted ?? {}, options, progress));
  },

  stat(file: unknown, given?: unknown, ...rest: unknown[]) {
    const { options, ears } = arranged<Options>(given, rest);
    return attempt(ears, () => files.stat(file, options));
  },

  remove(file: unknown, given?: unknown, ...rest: unknown[]) {
    const { options, ears } = arranged<void>(given, rest);
    return attempt(ears, () => files.remove(file, options));
  },

  exportFile(input: unknown, given?: unknown, ...rest: unknown[]) {
    const { options, ears } = arranged<FPFile>(given, rest);
    const file = (typeof input === "string" ? { url: input } : input) as FPFile | null;
    if (!file?.url) {
      throw new FilepickerException(`Invalid file to export: ${String(input)}. Not a valid url or FPFile object.`);
    }
    const url = ownAddress(file.url, place.host);
    if (!options["extension"] && file.mimetype) options["mimetype"] ??= file.mimetype;
    const more = { url, defaultSaveasName: options["suggestedFilename"] ?? file.filename };
    return dialog(ears, "save", options, first, more);
  },

  logout(options: { onSuccess?: () => void; onError?: (error: Error) => void } = {}) {
    return told(files.logout(), { success: options.onSuccess, failure: options.onError });
  },

  constructWidget: (element: unknown) => constructWidget(element, widgetCalls),
  makeDropPane: (element: unknown, options?: Options) => makeDropPane(files, element, options),

  pickFolder: (...rest: unknown[]) => unavailable("pickFolder", "Instagram has no folders; use pickMultiple.", rest),
  processImage: (_input: unknown, ...rest: unknown[]) =>
    unavailable("processImage", "There is no editor here; use convert.", rest),
  setResponsiveOptions: () => undefined,
  responsive: () => undefined,
};

const widgetCalls = {
  setKey: calls.setKey,
  pick: calls.pick,
  pickMultiple: calls.pickMultiple,
  exportFile: calls.exportFile,
  makeDropPane: calls.makeDropPane,
};

const published: Stub = Object.assign(found, calls, {
  metadata: calls.stat,
  export: calls.exportFile,
  isFPUrl: (url: string) => isOwn(withoutConversion(url), place.host),
});
window.filepicker = published;

function loaded(): void {
  buildWidgets(widgetCalls);
}

if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", loaded, { once: true });
else loaded();

// What the page called while this file was on its way.
const waiting = published._queue ?? [];
delete published._queue;
for (const [name, values] of waiting) {
  const call = published[name];
  if (typeof call === "function") (call as (...all: unknown[]) => unknown).apply(published, Array.from(values));
}
