// The words of the dialog's language, with what is filled in.

export class Words {
  constructor(
    private readonly words: Readonly<Record<string, string>>,
    private readonly language: string,
  ) {}

  say(key: string, values: Record<string, string | number> = {}): string {
    const text = this.words[key] ?? key;
    return text.replace(/\{(\w+)\}/g, (whole, name: string) => {
      const value = values[name];
      return value === undefined ? whole : typeof value === "number" ? value.toLocaleString(this.language) : value;
    });
  }

  day(iso: string): string {
    return new Date(iso).toLocaleDateString(this.language, { day: "numeric", month: "long", year: "numeric" });
  }
}
