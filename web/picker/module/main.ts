// The picker that filestack-js loads at run time: its options in, our dialog, its results out.

interface Session {
  readonly apikey: string;
  readonly policy?: string;
  readonly signature?: string;
}

interface Client {
  readonly session: Session;
}

type Told = (...values: unknown[]) => void;

interface Store {
  readonly location?: string;
  readonly path?: string;
  readonly container?: string;
  readonly access?: string;
}

interface Options {
  readonly accept?: string | string[];
  readonly maxFiles?: number;
  readonly maxSize?: number;
  readonly lang?: string;
  readonly storeTo?: Store;
  readonly container?: string | HTMLElement;
  readonly displayMode?: string;
  readonly onOpen?: Told;
  readonly onClose?: Told;
  readonly onCancel?: Told;
  readonly onFileUploadFinished?: Told;
  readonly onUploadStarted?: Told;
  readonly onUploadDone?: Told;
}

interface Made {
  readonly url: string;
  readonly data: Record<string, unknown>;
}

interface Said {
  readonly id?: string;
  readonly type?: string;
  readonly payload?: unknown;
  readonly error?: { readonly code?: number; readonly hint?: string };
}

declare global {
  interface Window {
    filestackInternals?: { modules?: Record<string, unknown> };
    tintypeBase?: string;
  }
}

function ownOrigin(): string {
  const script = document.currentScript;
  return window.tintypeBase ?? (script instanceof HTMLScriptElement ? new URL(script.src).origin : location.origin);
}

const host = ownOrigin();

function address(client: Client, options: Options, id: string): string {
  const query = new URLSearchParams({ key: client.session.apikey, id, iframe: "true", version: "v3", multi: "true", plugin: "js_lib" });
  const store = options.storeTo ?? {};
  const values: Record<string, unknown> = {
    referrer: location.hostname,
    language: options.lang ?? navigator.language,
    m: types(options.accept, false),
    ext: types(options.accept, true),
    maxFiles: options.maxFiles ?? 1,
    maxSize: options.maxSize,
    storeLocation: store.location ?? "s3",
    storePath: store.path,
    storeContainer: store.container,
    storeAccess: store.access,
    policy: client.session.policy,
    signature: client.session.signature,
  };
  for (const [name, value] of Object.entries(values)) if (value !== undefined && value !== "") query.set(name, String(value));
  return `${host}/dialog/open/?${query.toString()}`;
}

// A list of types and endings mixed: types win, and only endings by themselves are taken for what they are.
function types(accept: string | string[] | undefined, endings: boolean): string {
  const all = (Array.isArray(accept) ? accept : accept ? [accept] : []).map(String);
  const named = all.filter((one) => one.includes("/"));
  if (endings) return named.length ? "" : all.filter((one) => one.startsWith(".")).join(",");
  return named.join(",");
}

function metadata(made: Made): Record<string, unknown> {
  const { data } = made;
  return {
    filename: data["filename"],
    handle: made.url.split("/").pop(),
    mimetype: data["type"],
    originalPath: data["filename"],
    size: data["size"],
    source: "instagram",
    url: made.url,
    key: data["key"],
    container: data["container"],
    status: data["key"] ? "Stored" : "InTransit",
    uploadId: Math.random().toString(16).slice(2),
  };
}

class Picker {
  private shade: HTMLDialogElement | undefined;
  private frame: HTMLIFrameElement | undefined;
  private id = "";
  private overflow = "";
  private readonly hear = (event: MessageEvent): void => this.heard(event);

  constructor(
    private readonly client: Client,
    private readonly options: Options = {},
  ) {}

  open(): Promise<void> {
    if (this.frame) return Promise.resolve();
    this.id = Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
    const frame = document.createElement("iframe");
    frame.title = "Photos";
    frame.referrerPolicy = "origin";
    frame.src = address(this.client, this.options, this.id);
    this.frame = frame;
    addEventListener("message", this.hear);
    if (this.options.displayMode === "inline" || this.options.displayMode === "dropPane") this.inline(frame);
    else this.overlay(frame);
    this.options.onOpen?.(this.handle());
    return Promise.resolve();
  }

  close(): Promise<void> {
    if (!this.frame) return Promise.resolve();
    removeEventListener("message", this.hear);
    this.frame.remove();
    this.frame = undefined;
    if (this.shade) {
      this.shade.close();
      this.shade.remove();
      this.shade = undefined;
      document.documentElement.style.overflow = this.overflow;
    }
    this.options.onClose?.();
    return Promise.resolve();
  }

  cancel(): Promise<void> {
    this.options.onCancel?.(this.handle());
    return this.close();
  }

  crop(): Promise<void> {
    return Promise.reject(new Error("There is no editor here; use transform."));
  }

  private handle(): object {
    return { open: () => this.open(), close: () => this.close(), cancel: () => this.cancel() };
  }

  private inline(frame: HTMLIFrameElement): void {
    const { container } = this.options;
    const place = typeof container === "string" ? document.querySelector(container.startsWith("#") ? container : `#${container}`) : container;
    if (!place) throw new Error("The container of the picker is not in the page");
    Object.assign(frame.style, { width: "100%", height: "100%", minHeight: "24rem", border: "0" });
    place.append(frame);
  }

  private overlay(frame: HTMLIFrameElement): void {
    const shade = document.createElement("dialog");
    const whole = { position: "fixed", inset: "0", width: "100%", height: "100%", maxWidth: "none", maxHeight: "none", margin: "0", border: "0" };
    Object.assign(shade.style, { ...whole, padding: "0", background: "rgba(0, 0, 0, .6)", display: "grid", placeItems: "center" });
    Object.assign(frame.style, { width: "min(960px, 100%)", height: "min(720px, 100%)", border: "0", borderRadius: "12px", background: "Canvas" });
    shade.setAttribute("aria-label", "Photos");
    shade.append(frame);
    shade.oncancel = (event) => {
      event.preventDefault();
      void this.cancel();
    };
    shade.onclick = (event) => {
      if (event.target === shade) void this.cancel();
    };
    document.body.append(shade);
    this.overflow = document.documentElement.style.overflow;
    document.documentElement.style.overflow = "hidden";
    shade.showModal();
    frame.focus();
    this.shade = shade;
  }

  private heard(event: MessageEvent): void {
    if (event.origin !== host || event.source !== this.frame?.contentWindow || typeof event.data !== "string") return;
    let said: Said | null = null;
    try {
      said = JSON.parse(event.data) as Said | null;
    } catch {
      return;
    }
    if (said?.id === `${this.id}-upload`) return this.options.onUploadStarted?.([]);
    if (said?.id !== this.id) return;
    if (said.error) this.failed(said.error);
    else if (said.type === "filepickerUrl") this.done(said.payload as Made[]);
  }

  private done(made: Made[]): void {
    const files = made.map(metadata);
    files.forEach((file) => this.options.onFileUploadFinished?.(file));
    this.options.onUploadDone?.({ filesUploaded: files, filesFailed: [] });
    void this.close();
  }

  private failed(error: { readonly code?: number; readonly hint?: string }): void {
    if (error.hint) console.error(`picker: ${error.hint}`);
    void this.cancel();
  }
}

const internals = (window.filestackInternals ??= {});
const modules = (internals.modules ??= {});
modules["fs-loader-picker"] = { instance: Picker };

export {};
