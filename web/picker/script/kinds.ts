// Media types: which a local file has, and whether a pattern such as image/* covers one.

const BY_ENDING: Record<string, string> = {
  ".jpg": "image/jpeg",
  ".jpeg": "image/jpeg",
  ".jpe": "image/jpeg",
  ".pdf": "application/pdf",
  ".stl": "application/sla",
  ".hbs": "text/html",
  ".vob": "video/dvd",
};

// Said by systems that do not know better.
const VAGUE = /^(application\/(octet-stream|download|force-download|unknown|x-download|x-msdownload|x-secure-download)|octet\/stream)$/;

export function typeOf(file: { readonly type: string; readonly name: string }): string {
  const type = file.type.toLowerCase();
  if (type && !VAGUE.test(type)) return type;
  const ending = /\.\w*$/.exec(file.name)?.[0]?.toLowerCase() ?? "";
  return BY_ENDING[ending] ?? type;
}

export function covers(pattern: string, type: string | undefined): boolean {
  const wanted = pattern.trim().toLowerCase();
  if (!type) return wanted === "*/*";
  const given = type.trim().toLowerCase();
  if (VAGUE.test(given)) return true;
  const [top = "", sub = ""] = wanted.split("/");
  const [givenTop = "", givenSub = ""] = given.split("/");
  return top === "*" || (top === givenTop && (sub === "*" || sub === givenSub));
}
