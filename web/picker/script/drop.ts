// An element of the page onto which local files and pictures of other pages are dropped, to be stored.

import { FilepickerException, type FPError } from "./errors";
import { covers, typeOf } from "./kinds";
import type { Files } from "./files";
import type { FPFile, Options } from "./words";

const IMAGE = /<img\b(?:[^>]*?\s)src\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))/i;

type Heard = (...values: unknown[]) => void;

function heard(options: Options, name: string): Heard {
  const given = options[name];
  return typeof given === "function" ? (given as Heard) : () => undefined;
}

function words(options: Options, many: string, one: string): string[] | undefined {
  const given = options[many] ?? options[one];
  if (given === undefined || given === null) return undefined;
  return (Array.isArray(given) ? given.map(String) : String(given).split(",")).map((word) => word.trim().toLowerCase());
}

export function makeDropPane(files: Files, target: unknown, options: Options = {}): boolean {
  const pane = (target as { jquery?: unknown; 0?: unknown } | null)?.jquery ? (target as { 0?: unknown })[0] : target;
  if (!(pane instanceof HTMLElement)) throw new FilepickerException("No DOM element found to create drop pane");
  const enabled = (): boolean => pane.getAttribute("disabled") !== "disabled";
  const still = (event: DragEvent): void => {
    event.preventDefault();
    event.stopPropagation();
  };
  pane.addEventListener("dragenter", (event) => {
    still(event);
    if (enabled()) heard(options, "dragEnter")();
  });
  pane.addEventListener("dragleave", (event) => {
    still(event);
    if (enabled()) heard(options, "dragLeave")();
  });
  pane.addEventListener("dragover", (event) => {
    event.preventDefault();
    if (event.dataTransfer) event.dataTransfer.dropEffect = "copy";
  });
  pane.addEventListener("drop", (event) => {
    still(event);
    if (enabled() && event.dataTransfer) void dropped(files, pane, event.dataTransfer, options);
  });
  return true;
}

async function dropped(files: Files, pane: HTMLElement, transfer: DataTransfer, options: Options): Promise<void> {
  const onError = heard(options, "onError");
  const isFolder = [...transfer.items].some((item) => item.webkitGetAsEntry?.()?.isDirectory);
  if (isFolder) return onError("WrongType", "Uploading a folder is not allowed");
  const given = [...transfer.files];
  const address = given.length ? undefined : pictureAddress(transfer);
  if (!given.length && !address) return onError("NoFilesFound", "No files uploaded");
  const wrong = problem(given, options);
  if (wrong) return onError(...wrong);
  heard(options, "onStart")(transfer.files);
  pane.setAttribute("disabled", "disabled");
  try {
    const stored = await all(files, address ? [address] : given, options);
    heard(options, "onSuccess")(stored);
  } catch (error) {
    onError("UploadError", String(error as FPError));
  } finally {
    pane.setAttribute("disabled", "enabled");
  }
}

function all(files: Files, given: (File | string)[], options: Options): Promise<FPFile[]> {
  const { location, path, container, access, policy, signature } = options;
  const store = { location, path, container, access, policy, signature };
  const shares = given.map(() => 0);
  return Promise.all(
    given.map((one, at) => {
      const progress = (percent: number): void => {
        shares[at] = percent;
        heard(options, "onProgress")(shares.reduce((sum, share) => sum + share, 0) / shares.length);
      };
      return typeof one === "string" ? files.storeUrl(one, store, progress) : files.store(one, store, progress);
    }),
  );
}

function problem(given: File[], options: Options): [string, string] | undefined {
  const most = options["multiple"] ? Number(options["maxFiles"] ?? 0) || Infinity : 1;
  if (given.length > most) {
    return ["TooManyFiles", most === 1 ? "Only one file at a time" : `Only ${most} files at a time`];
  }
  const types = words(options, "mimetypes", "mimetype") ?? ["*/*"];
  const endings = words(options, "extensions", "extension");
  const largest = Number(options["maxSize"] ?? 0) || Infinity;
  for (const file of given) {
    const fits = types.some((pattern) => covers(pattern, typeOf(file)));
    const ends = !endings || endings.some((ending) => file.name.toLowerCase().endsWith(ending));
    if (!fits || !ends) return ["WrongType", `${file.name} isn't the right type of file`];
    if (file.size > largest) return ["WrongSize", `${file.name} is too large (${file.size} Bytes)`];
  }
  return undefined;
}

function pictureAddress(transfer: DataTransfer): string | undefined {
  const text = transfer.getData("text/uri-list") || transfer.getData("text");
  if (/^https?:\/\//.test(text)) return text.split("\n")[0];
  // Not by a DOMParser, which pages that ask for trusted types do not let anybody use.
  const found = IMAGE.exec(transfer.getData("text/html"));
  const source = (found?.[1] ?? found?.[2] ?? found?.[3] ?? "").replace(/&amp;/g, "&");
  try {
    return source ? new URL(source, document.baseURI).href : undefined;
  } catch {
    return undefined;
  }
}
