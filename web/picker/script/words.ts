// The shapes that go in and out of the public calls.

export interface FPFile {
  url: string;
  filename?: string;
  mimetype?: string;
  size?: number;
  client?: string;
  id?: string | number;
  key?: string;
  container?: string;
  path?: string;
  isWriteable?: boolean;
  [more: string]: unknown;
}

export type Options = Record<string, unknown>;
export type Success<T> = (value: T) => void;
export type Failure = (error: Error) => void;
export type Progress = (percent: number) => void;

export interface Ears<T> {
  readonly success?: Success<T> | undefined;
  readonly failure?: Failure | undefined;
  readonly progress?: Progress | undefined;
}

type Loose = unknown;

// A call's options may be left out; then its functions stand one place further to the left.
export function arranged<T>(options: Loose, rest: readonly Loose[]): { options: Options; ears: Ears<T> } {
  const left = typeof options === "function";
  const [success, failure, progress] = left ? [options, ...rest] : rest;
  const chosen = !left && options ? { ...(options as Options) } : {};
  return {
    options: chosen,
    ears: {
      success: fn<Success<T>>(success),
      failure: fn<Failure>(failure),
      progress: fn<Progress>(progress),
    },
  };
}

function fn<F>(value: Loose): F | undefined {
  return typeof value === "function" ? (value as F) : undefined;
}

// Tells the functions that were given, and returns the promise for those who would rather wait. A failure that a function
// was told, or that nobody waits for, must not come up a second time as an unhandled rejection: it goes to the console.
export function told<T>(work: Promise<T>, ears: Ears<T>): Promise<T> {
  if (ears.success || ears.failure) {
    work.then(ears.success, ears.failure ?? ((error: unknown) => console.error(String(error))));
  }
  return work;
}

export function asFile(sent: Options): FPFile {
  const file: FPFile = { url: String(sent["url"]) };
  const name = sent["filename"] ?? sent["name"];
  const type = sent["mimetype"] ?? sent["type"];
  const key = sent["key"] ?? sent["s3_key"];
  if (name !== undefined) file.filename = String(name);
  if (type !== undefined) file.mimetype = String(type);
  if (sent["size"] !== undefined && sent["size"] !== null) file.size = Number(sent["size"]);
  if (key !== undefined) file.key = String(key);
  for (const more of ["container", "path", "client"] as const) {
    if (sent[more]) file[more] = String(sent[more]);
  }
  file.isWriteable = Boolean(sent["isWriteable"] ?? sent["writeable"]);
  return file;
}
