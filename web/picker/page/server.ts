// Calls to the server, with the secret that only this page holds.

export class Failed extends Error {
  constructor(
    readonly kind: string,
    message: string,
  ) {
    super(message);
  }
}

export class Server {
  constructor(private readonly secret: string) {}

  get<T>(path: string, query: Record<string, string | null> = {}): Promise<T> {
    const wanted = Object.entries(query).filter((pair): pair is [string, string] => Boolean(pair[1]));
    const search = new URLSearchParams(wanted).toString();
    return this.call<T>(search ? `${path}?${search}` : path, {});
  }

  post<T>(path: string, body: object): Promise<T> {
    return this.call<T>(path, { method: "POST", body: JSON.stringify(body), headers: { "Content-Type": "application/json" } });
  }

  private async call<T>(path: string, init: RequestInit): Promise<T> {
    const headers = { ...(init.headers as Record<string, string>), Authorization: `Bearer ${this.secret}` };
    const answer = await fetch(path, { ...init, headers, credentials: "same-origin" }).catch(() => {
      throw new Failed("unreachable", "");
    });
    if (answer.status === 204) return undefined as T;
    const said = (await answer.json().catch(() => ({}))) as T & { error?: { message?: string } };
    if (!answer.ok) throw new Failed(answer.headers.get("X-Error-Code") ?? "internal", said.error?.message ?? "");
    return said;
  }
}

const WORDS: Readonly<Record<string, string>> = {
  reconnect: "e_reconnect",
  declined: "e_declined",
  personal: "e_personal",
  role: "e_role",
  gone: "e_gone",
  rate_limited: "e_rate",
  busy: "e_rate",
  unreachable: "e_network",
  unavailable: "e_network",
  too_large: "e_large",
  misconfigured: "e_setup",
  forbidden: "e_ended",
};

// The word under which a person reads what went wrong and what to do.
export function wordOf(error: unknown): string {
  if (!(error instanceof Failed)) return "e_other";
  if (error.kind === "invalid" && /no app is set up/.test(error.message)) return "e_setup";
  return WORDS[error.kind] ?? "e_other";
}
