// What a page asks the dialog for, and the address that says so.

import { FilepickerException } from "./errors";
import type { Place } from "./place";
import { withQuery } from "./wire";
import type { Options } from "./words";

export const SERVICES: Readonly<Record<string, number>> = Object.fromEntries(
  (
    "COMPUTER DROPBOX FACEBOOK GITHUB GMAIL IMAGE_SEARCH URL WEBCAM GOOGLE_DRIVE SEND_EMAIL INSTAGRAM FLICKR VIDEO EVERNOTE " +
    "PICASA WEBDAV FTP ALFRESCO BOX SKYDRIVE GDRIVE CUSTOMSOURCE CLOUDDRIVE GENERIC CONVERT AUDIO"
  )
    .split(" ")
    .map((name, at) => [name, at + 1]),
);

export type Purpose = "open" | "save" | "process" | "folder";

// One word, several, or a text of several with commas: always a list, and no list where nothing was said.
function list(options: Options, one: string, many: string): unknown[] | undefined {
  const found = options[many] ?? options[one];
  if (found === undefined || found === null || found === "") return undefined;
  if (typeof found === "string") return found.split(",").map((word) => word.trim());
  return Array.isArray(found) ? [...found] : [found];
}

function service(name: unknown): unknown {
  return SERVICES[String(name).replace(/ /g, "").toUpperCase()] ?? name;
}

function joined(value: unknown): string | undefined {
  return Array.isArray(value) ? value.join(",") : (value as string | undefined);
}

export function dialogAddress(place: Place, purpose: Purpose, id: string, options: Options, more: Options = {}): string {
  const types = list(options, "mimetype", "mimetypes");
  const endings = list(options, "extension", "extensions");
  if (types && endings) throw new FilepickerException("Error: Cannot pass in both mimetype and extension parameters");
  const services = list(options, "service", "services");
  const isWindow = options["container"] === "window";
  return withQuery(`${place.host}/dialog/${purpose}/`, {
    key: place.key,
    id,
    referrer: location.hostname,
    iframe: !isWindow,
    version: "v2",
    s: services?.map(service).join(","),
    container: options["container"] ?? "modal",
    loc: options["openTo"] === undefined ? undefined : service(options["openTo"]),
    language: options["language"] ?? navigator.language,
    m: purpose === "open" ? (types?.join(",") ?? (endings ? undefined : "*/*")) : types?.join(","),
    ext: endings?.join(","),
    maxSize: options["maxSize"],
    maxFiles: options["maxFiles"],
    folders: options["folders"],
    hide: options["hide"],
    text: options["customText"],
    showClose: options["showClose"],
    imin: joined(options["imageMin"]),
    imax: joined(options["imageMax"]),
    idim: joined(options["imageDim"]),
    iq: options["imageQuality"],
    bu: options["backgroundUpload"],
    redirect_url: options["redirectUrl"],
    storeLocation: options["storeLocation"],
    storePath: options["storePath"],
    storeContainer: options["storeContainer"],
    storeRegion: options["storeRegion"],
    storeAccess: options["storeAccess"],
    policy: options["policy"],
    signature: options["signature"],
    plugin: "js_lib",
    ...more,
  });
}
