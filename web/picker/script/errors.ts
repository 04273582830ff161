// What a page is told when something failed: a number that callers of old compare, and a sentence for the person who reads.

const MEANINGS: Record<number, string> = {
  101: "The dialog was closed without a choice",
  102: "The dialog failed",
  111: "This browser cannot read local files",
  112: "This browser cannot read from other origins",
  113: "The address does not let other origins read it",
  114: "The address could not be reached",
  115: "The file was not found",
  116: "The local file could not be read",
  117: "Reading was aborted",
  118: "Reading failed",
  121: "The file to write to was not found",
  122: "The server did not take what was sent",
  123: "Writing failed",
  131: "The dialog was closed without an export",
  132: "The export failed",
  141: "The file to convert was not found",
  142: "This file cannot be converted like that",
  143: "Converting failed",
  151: "The address to store was not found",
  152: "The address to store was not taken",
  153: "Storing the address failed",
  161: "The file to look at was not found",
  162: "Looking at the file failed",
  171: "The file to remove was not found",
  172: "Removing failed",
  400: "The server did not understand the call; perhaps a policy and its signature are missing",
  403: "The app, its policy or its list of origins does not allow this",
};

export class FPError extends Error {
  readonly code: number;
  readonly hint: string;

  constructor(code: number, hint = "") {
    super(MEANINGS[code] ?? "Something failed");
    this.name = "FPError";
    this.code = code;
    this.hint = hint;
  }

  override toString(): string {
    return `FPError ${this.code}: ${this.message}.${this.hint ? ` ${this.hint}` : ""}`;
  }
}

export class FilepickerException extends Error {
  readonly text: string;

  constructor(text: string) {
    super(text);
    this.name = "FilepickerException";
    this.text = text;
  }

  override toString(): string {
    return `FilepickerException: ${this.text}`;
  }
}

// Which code a status of the server's becomes, for each thing that can be asked of it.
export interface Codes {
  readonly notFound: number;
  readonly refused: number;
  readonly other: number;
}

export const READ: Codes = { notFound: 115, refused: 400, other: 118 };
export const WRITE: Codes = { notFound: 121, refused: 122, other: 123 };
export const CONVERT: Codes = { notFound: 141, refused: 142, other: 143 };
export const STORE_URL: Codes = { notFound: 151, refused: 152, other: 153 };
export const STAT: Codes = { notFound: 161, refused: 400, other: 162 };
export const REMOVE: Codes = { notFound: 171, refused: 400, other: 172 };

export function codeOf(status: number, codes: Codes): number {
  if (status === 404 || status === 410) return codes.notFound;
  if (status === 403) return 403;
  return status === 400 ? codes.refused : codes.other;
}
