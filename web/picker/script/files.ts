// Files by their addresses: read, store, write, convert, look at, remove.

import { CONVERT, FilepickerException, FPError, READ, REMOVE, STAT, STORE_URL, WRITE } from "./errors";
import { covers, typeOf } from "./kinds";
import { isOwn, ownAddress, withoutConversion, type Place } from "./place";
import { ask, form, withQuery } from "./wire";
import { asFile, type FPFile, type Options, type Progress } from "./words";

type Content = string | Blob | HTMLInputElement | FPFile;

const DATES = ["uploaded", "modified", "created"];

export class Files {
  constructor(private readonly place: Place) {}

  // The address of one of our files, given as an address or as a Blob of ours.
  private address(file: unknown): string {
    const url = typeof file === "string" ? file : (file as FPFile | null)?.url;
    if (typeof url !== "string" || !url) {
      throw new FilepickerException(`This is neither an address of a file nor a Blob: ${String(file)}`);
    }
    return ownAddress(url, this.place.host);
  }

  read(input: unknown, options: Options, progress?: Progress): Promise<string> {
    if (!input) throw new FilepickerException("No input given - nothing to read!");
    const { base64encode, asText, cache, ...query } = options;
    const local = localFile(input);
    const bytes = local
      ? readLocally(local, progress)
      : ask<ArrayBuffer>({
          method: "GET",
          url: this.address(input),
          codes: READ,
          query: { ...query, ...fresh(cache) },
          answer: "arraybuffer",
          progress,
        });
    return bytes.then((found) => said(found, Boolean(asText), Boolean(base64encode)));
  }

  store(input: Content, options: Options, progress?: Progress): Promise<FPFile> {
    const chosen = { ...options };
    const local = localFile(input);
    if (local) {
      chosen["filename"] ??= local instanceof File ? local.name : undefined;
      return this.send(this.storeAddress(chosen), filled(local, chosen["filename"]), undefined, progress);
    }
    if (typeof input === "string") {
      chosen["mimetype"] ??= "text/plain";
      return this.send(this.storeAddress(chosen), input, String(chosen["mimetype"]), progress);
    }
    const file = input as FPFile;
    if (!file?.url) throw new FilepickerException(`Nothing that can be stored: ${String(input)}`);
    chosen["filename"] ??= file.filename;
    return this.storeUrl(file.url, chosen, progress);
  }

  storeUrl(url: string, options: Options, progress?: Progress): Promise<FPFile> {
    const body = form({ url: ownAddress(url, this.place.host) });
    return ask<Options>({ method: "POST", url: this.storeAddress(options), codes: STORE_URL, body, progress }).then(asFile);
  }

  write(file: unknown, input: Content, options: Options, progress?: Progress): Promise<FPFile> {
    if (input === undefined || input === null) throw new FilepickerException("No input given - nothing to write!");
    const local = localFile(input);
    if (local) {
      const url = this.writeAddress(file, { ...options, mimetype: options["mimetype"] ?? typeOf(named(local)) });
      return this.send(url, filled(local, undefined), undefined, progress);
    }
    if (typeof input === "string") {
      const type = String(options["mimetype"] ?? "text/plain");
      return this.send(this.writeAddress(file, { ...options, mimetype: type }), input, type, progress);
    }
    if (!(input as FPFile).url) throw new FilepickerException(`Nothing that can be written: ${String(input)}`);
    return this.writeUrl(file, (input as FPFile).url, options, progress);
  }

  writeUrl(file: unknown, url: string, options: Options, progress?: Progress): Promise<FPFile> {
    const body = form({ url: ownAddress(url, this.place.host) });
    return ask<Options>({ method: "POST", url: this.writeAddress(file, options), codes: WRITE, body, progress }).then(asFile);
  }

  convert(file: unknown, wanted: Options, store: Options, progress?: Progress): Promise<FPFile> {
    checkConversion(wanted);
    const url = this.address(file);
    const type = typeof file === "string" ? undefined : (file as FPFile).mimetype;
    if (type && !covers("image/*", type) && !covers("application/pdf", type)) {
      throw new FPError(142, `Only pictures are converted, and this is ${type}.`);
    }
    const values: Options = { ...earlier(url), ...wanted };
    if (Array.isArray(values["crop"])) values["crop"] = values["crop"].join(",");
    const kept: Options = {
      storeLocation: store["location"],
      storePath: store["path"],
      storeContainer: store["container"],
      storeRegion: store["region"] ?? store["storeRegion"],
      storeAccess: store["access"] ?? "private",
    };
    for (const [name, value] of Object.entries(kept)) if (value !== undefined) values[name] = value;
    const target = `${withoutConversion(url)}/convert`;
    return ask<Options>({ method: "POST", url: target, codes: CONVERT, query: fresh(false), body: form(values), progress }).then(
      asFile,
    );
  }

  stat(file: unknown, options: Options): Promise<Options> {
    const { cache, ...query } = options;
    const url = `${withoutConversion(this.address(file))}/metadata`;
    return ask<Options>({ method: "GET", url, codes: STAT, query: { ...query, ...fresh(cache) } }).then(dated);
  }

  remove(file: unknown, options: Options): Promise<void> {
    const url = withoutConversion(this.address(file));
    if (!isOwn(url, this.place.host)) throw new FilepickerException(`This file is not one of ${this.place.host}: ${url}`);
    const body = form({ ...options, key: this.place.key });
    return ask<unknown>({ method: "POST", url: `${url}/remove`, codes: REMOVE, body, answer: "text" }).then(nothing);
  }

  logout(): Promise<void> {
    const url = `${this.place.host}/api/clients/unauth`;
    return ask<unknown>({ method: "GET", url, codes: READ, answer: "text", withCookies: true }).then(nothing);
  }

  private send(url: string, body: FormData | string, type: string | undefined, progress?: Progress): Promise<FPFile> {
    return ask<Options>({ method: "POST", url, codes: WRITE, body, type, progress }).then(asFile);
  }

  private storeAddress(options: Options): string {
    const location = String(options["location"] ?? options["storeLocation"] ?? "S3");
    return withQuery(`${this.place.host}/api/store/${encodeURIComponent(location)}`, {
      key: this.place.key,
      base64decode: options["base64decode"] ? true : undefined,
      mimetype: options["mimetype"],
      filename: options["filename"],
      path: options["path"],
      container: options["container"],
      region: options["region"],
      access: options["access"],
      policy: options["policy"],
      signature: options["signature"],
    });
  }

  private writeAddress(file: unknown, options: Options): string {
    if (!file) throw new FilepickerException("No fpfile given - nothing to write to!");
    return withQuery(withoutConversion(this.address(file)), {
      nonce: "fp",
      base64decode: options["base64decode"] ? true : undefined,
      mimetype: options["mimetype"],
      policy: options["policy"],
      signature: options["signature"],
    });
  }
}

function localFile(input: unknown): Blob | undefined {
  if (input instanceof HTMLInputElement) {
    const first = input.files?.[0];
    if (!first) throw new FPError(115, "No file was chosen in the input.");
    return first;
  }
  return input instanceof Blob ? input : undefined;
}

function named(file: Blob): { type: string; name: string } {
  return { type: file.type, name: file instanceof File ? file.name : "" };
}

function filled(file: Blob, name: unknown): FormData {
  const made = new FormData();
  if (typeof name === "string" && name) made.set("fileUpload", file, name);
  else made.set("fileUpload", file);
  return made;
}

function fresh(cache: unknown): Options {
  return cache === true ? {} : { _cacheBust: Date.now() };
}

function nothing(): void {
  // What the server says to a yes is of no interest.
}

function dated(sent: Options): Options {
  for (const name of DATES) {
    const moment = sent[name];
    if (typeof moment === "number" || typeof moment === "string") sent[name] = new Date(moment);
  }
  return sent;
}

function readLocally(file: Blob, progress?: Progress): Promise<ArrayBuffer> {
  progress?.(10);
  return file.arrayBuffer().then(
    (bytes) => {
      progress?.(100);
      return bytes;
    },
    () => {
      throw new FPError(116);
    },
  );
}

const NUMBERS = "blurAmount height page quality sharpenAmount text_padding text_size watermark_size width";
const OTHERS =
  "align compress crop crop_first exif filter fit format policy rotate secure signature storeAccess storeContainer storeLocation " +
  "storePath storeRegion text text_align text_color text_font watermark watermark_position";

function checkConversion(wanted: Options): void {
  for (const [name, value] of Object.entries(wanted)) {
    const isNumber = NUMBERS.split(" ").includes(name);
    if (!isNumber && !OTHERS.split(" ").includes(name)) {
      throw new FilepickerException(`Conversion parameter ${name} is not a valid parameter.`);
    }
    if (isNumber && typeof value !== "number") {
      throw new FilepickerException(`Conversion parameter ${name} is not the right type: ${String(value)}. Should be a number`);
    }
  }
}

// As asked for: base64, text, or a string with one character for each byte.
function said(bytes: ArrayBuffer, asText: boolean, base64: boolean): string {
  if (asText && !base64) return new TextDecoder().decode(bytes);
  const array = new Uint8Array(bytes);
  let binary = "";
  for (let at = 0; at < array.length; at += 0x8000) {
    binary += String.fromCharCode(...array.subarray(at, at + 0x8000));
  }
  return base64 ? btoa(binary) : binary;
}

// What an address of an earlier conversion asked for stays true of the next one, unless that says otherwise.
function earlier(url: string): Options {
  if (!url.includes("/convert")) return {};
  const short: Record<string, string> = { w: "width", h: "height" };
  const found: Options = {};
  new URL(url).searchParams.forEach((value, name) => {
    found[short[name] ?? name] = value;
  });
  if (found["crop"]) found["crop_first"] ??= true;
  return found;
}
