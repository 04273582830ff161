// The dialog as a whole: which of its views is shown, and what happens to the selection, which outlives all of them.

import { Connecting, type Standing } from "./connecting";
import { element, icon } from "./elements";
import type { Account, Chosen, Given, Item } from "./given";
import { Grid } from "./grid";
import { Listing } from "./listing";
import { Opener } from "./opener";
import { Picked } from "./pick";
import { Failed, Server, wordOf } from "./server";
import { Words } from "./words";

const AT_ONCE = 3;

export class Dialog {
  private readonly words: Words;
  private readonly server: Server;
  private readonly opener: Opener;
  private readonly picked: Picked;
  private readonly connecting: Connecting;
  private accounts: readonly Account[];
  private account: Account | undefined;
  private listing: Listing | undefined;
  private grid: Grid | undefined;
  private albumGrid: Grid | undefined;
  private working = false;
  private waitingFor: string | null | undefined; // the code that is shown; undefined: nothing is waited for

  private readonly main = element("main", { class: "main", tabindex: "-1" });
  private readonly notice = element("div", { class: "notice", role: "alert" });
  private readonly status = element("p", { class: "unseen", role: "status", "aria-live": "polite" });
  private readonly tools = element("div", { class: "tools" });
  private readonly foot = element("footer", { class: "foot" });

  constructor(
    private readonly root: HTMLElement,
    private readonly given: Given,
  ) {
    this.words = new Words(given.words, given.language);
    this.server = new Server(given.secret);
    this.opener = new Opener(given.origin, given.id, given.isWindow);
    this.picked = new Picked(given.most);
    this.accounts = given.accounts;
    this.account = this.accounts.find((one) => one.connected) ?? this.accounts[0];
    this.connecting = new Connecting(this.server, given.connect, (standing, isOver) => this.stood(standing, isOver));
  }

  start(): void {
    this.root.replaceChildren(this.head(), this.notice, this.main, this.foot, this.status);
    addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.leave();
    });
    this.opener.ready();
    if (this.account && (this.account.connected || this.given.purpose === "open")) this.showAccount();
    else this.showConnect();
  }

  // ------------------------------------------------------------------ head and foot

  private head(): HTMLElement {
    const close = element(
      "button",
      { type: "button", class: "plain close", "aria-label": this.say("close"), onclick: () => this.leave() },
      icon("close"),
    );
    return element("header", { class: "head" }, element("h1", {}, this.title()), this.tools, close);
  }

  private title(): string {
    const { purpose, videos, pictures, many } = this.given;
    if (purpose === "save") return this.say("title_export");
    if (videos) return this.say(pictures ? "title_any" : "title_video");
    return this.say(many ? "title" : "title_one");
  }

  private showTools(): void {
    this.tools.replaceChildren();
    if (!this.account) return;
    const select = element("select", { "aria-label": this.say("account"), class: "accounts" });
    this.accounts.forEach((one) => {
      const option = element("option", { value: one.id }, `@${one.name}`);
      option.selected = one.id === this.account?.id;
      select.append(option);
    });
    select.append(element("option", { value: "+" }, this.say("another")));
    select.append(element("option", { value: "-" }, this.say("log_out", { name: `@${this.account.name}` })));
    select.addEventListener("change", () => this.selected(select));
    this.tools.append(select);
    if (this.given.purpose === "open") this.tools.append(this.search());
  }

  private selected(select: HTMLSelectElement): void {
    const wanted = select.value;
    if (wanted === "+") {
      select.value = this.account?.id ?? "";
      this.connect();
    } else if (wanted === "-") {
      void this.logOut();
    } else {
      this.account = this.accounts.find((one) => one.id === wanted);
      this.showAccount();
    }
  }

  private search(): HTMLElement {
    const input = element("input", {
      type: "search",
      class: "search",
      placeholder: this.say("search"),
      "aria-label": this.say("search"),
      autocomplete: "off",
      maxlength: "100",
    });
    let timer = 0;
    input.addEventListener("input", () => {
      clearTimeout(timer);
      timer = window.setTimeout(() => this.look(input.value.trim()), 350);
    });
    return element("div", { class: "searching" }, icon("search"), input);
  }

  private showFoot(): void {
    const { size, most } = this.picked;
    if (this.given.purpose === "save" || !this.account) {
      this.foot.replaceChildren();
      this.foot.hidden = true;
      return;
    }
    this.foot.hidden = false;
    const choose = element(
      "button",
      { type: "button", class: "first", disabled: size === 0 || this.working, onclick: () => void this.choose() },
      most > 1 && size ? `${this.say("choose")} (${size})` : this.say("choose"),
    );
    const clear = element("button", { type: "button", class: "plain", onclick: () => this.cleared() }, this.say("clear"));
    const cancel = element("button", { type: "button", class: "cancel", onclick: () => this.leave() }, this.say("cancel"));
    const told = element("p", { class: "count" }, size ? this.say("selected", { n: size }) : "");
    this.foot.replaceChildren(told, ...(size && most > 1 ? [clear] : []), element("span", { class: "gap" }), cancel, choose);
  }

  // ------------------------------------------------------------------ connecting

  private showConnect(): void {
    this.account = undefined;
    this.showTools();
    this.showFoot();
    const site = element("strong", {}, this.given.site);
    const [before = "", after = ""] = this.say("connect_text").split("{site}");
    this.main.replaceChildren(
      element(
        "div",
        { class: "card welcome" },
        icon("camera"),
        element("h2", {}, this.say("connect_heading")),
        element("p", {}, before, site, after),
        element("button", { type: "button", class: "first", onclick: () => this.connect() }, this.say("connect")),
        element("p", { class: "quiet" }, this.say("connect_note")),
      ),
    );
    this.main.querySelector<HTMLButtonElement>("button.first")?.focus();
  }

  private connect(): void {
    this.connecting.start();
    this.wait(null);
  }

  // The window is on its way, or was blocked: nobody can tell the two apart, so the link is always there.
  private wait(code: string | null): void {
    if (code === this.waitingFor) return; // said once, or those who hear the page hear it every second
    const link = element(
      "a",
      { href: this.given.connect, target: "_blank", rel: "opener", onclick: () => this.connecting.watch() },
      this.say("waiting_link"),
    );
    const shown = code ? element("p", {}, `${this.say("waiting_code")}: `, element("strong", { class: "code" }, code)) : null;
    this.tell(element("p", {}, this.say("waiting"), " ", link), shown ?? "");
    this.waitingFor = code;
  }

  private stood(standing: Standing, isOver: boolean): void {
    if (!isOver) {
      if (standing.connecting) this.wait(standing.code);
      return;
    }
    this.hush();
    if (standing.trouble) {
      this.fail(new Failed(standing.trouble.code, standing.trouble.message), "reconnect", () => this.connect());
      return;
    }
    const known = new Set(this.accounts.filter((one) => one.connected).map((one) => one.id));
    const same = standing.accounts.find((one) => one.id === this.account?.id && one.connected);
    const fresh = standing.accounts.find((one) => one.connected && !known.has(one.id));
    this.accounts = standing.accounts;
    this.account = fresh ?? same ?? standing.accounts.find((one) => one.connected);
    if (this.account) this.showAccount();
    else this.showConnect();
  }

  private async logOut(): Promise<void> {
    const account = this.account;
    if (!account) return;
    try {
      await this.server.post("/dialog/forget", { account: account.id });
    } catch (error) {
      return this.fail(error, "again", () => void this.logOut());
    }
    this.picked.list().forEach(([key, choice]) => choice.account === account.id && this.picked.drop(key));
    this.accounts = this.accounts.filter((one) => one.id !== account.id);
    this.account = this.accounts[0];
    if (this.account) this.showAccount();
    else this.showConnect();
  }

  // ------------------------------------------------------------------ looking

  private showAccount(): void {
    this.hush();
    this.showTools();
    if (this.given.purpose === "save") this.showExport();
    else this.look("");
  }

  private look(search: string): void {
    const account = this.account;
    if (!account) return;
    const listing = new Listing(this.server, account.id, search);
    this.listing = listing;
    this.albumGrid = undefined;
    const grid = new Grid(this.words, this.readingOf(account.id), this.title());
    this.grid = grid;
    this.main.replaceChildren(grid.list, element("div", { class: "more" }));
    this.showFoot();
    void this.more(listing, grid);
  }

  private async more(listing: Listing, grid: Grid): Promise<void> {
    const end = this.main.querySelector<HTMLElement>(".more");
    if (!end) return;
    end.replaceChildren(element("p", { class: "quiet" }, this.say("loading")));
    try {
      const items = await listing.next();
      if (listing !== this.listing) return;
      grid.add(items);
      this.hush();
      this.ended(listing, grid, end);
    } catch (error) {
      if (listing !== this.listing) return;
      end.replaceChildren();
      this.fail(error, "again", () => void this.more(listing, grid));
    }
  }

  private ended(listing: Listing, grid: Grid, end: HTMLElement): void {
    if (listing.isOver) {
      const isEmpty = !grid.list.childElementCount;
      const words = isEmpty ? (listing.search ? this.say("search_none", { words: listing.search }) : this.say("empty")) : this.say("end");
      end.replaceChildren(element("p", { class: isEmpty ? "empty" : "quiet" }, words));
      if (isEmpty) this.announce(words);
      return;
    }
    const again = (): void => {
      watcher.disconnect();
      void this.more(listing, grid);
    };
    const button = element("button", { type: "button", onclick: again }, this.say("more"));
    const watcher = new IntersectionObserver((seen) => seen.some((one) => one.isIntersecting) && again(), { root: this.main, rootMargin: "300px" });
    end.replaceChildren(button);
    watcher.observe(button);
  }

  private readingOf(account: string) {
    return {
      isChosen: (item: Item) => this.picked.has(account, item),
      inAlbum: (item: Item) => this.picked.inAlbum(account, item),
      pressed: (item: Item) => this.pressed(account, item),
      taken: (item: Item) => this.takenAtOnce(account, item),
    };
  }

  private pressed(account: string, item: Item): void {
    if (this.working) return;
    if (item.children) this.openAlbum(account, item);
    else if (!item.choosable) this.announce(this.say("not_here"));
    else {
      const done = this.picked.toggle(account, item);
      this.changed(done ? this.say("selected", { n: this.picked.size }) : this.say("at_most", { n: this.given.most }));
      if (!done) this.tell(element("p", {}, this.say("at_most", { n: this.given.most })));
    }
  }

  // Where one photo is wanted, two clicks take it.
  private takenAtOnce(account: string, item: Item): void {
    if (this.given.many || item.children || !item.choosable || this.working) return;
    if (!this.picked.has(account, item)) this.picked.toggle(account, item);
    this.changed("");
    void this.choose();
  }

  private openAlbum(account: string, album: Item): void {
    const children = album.children ?? [];
    const scrolled = this.main.scrollTop;
    const kept = [...this.main.childNodes];
    const grid = new Grid(this.words, this.readingOf(account), this.say("album"));
    this.albumGrid = grid;
    const back = (): void => {
      this.albumGrid = undefined;
      this.main.replaceChildren(...kept);
      this.main.scrollTop = scrolled;
      this.grid?.refresh();
      this.grid?.focus();
    };
    const all = children.filter((child) => child.choosable);
    const takeAll = (): void => {
      const left = all.filter((child) => !this.picked.has(account, child) && !this.picked.toggle(account, child));
      this.changed(this.say("selected", { n: this.picked.size }));
      if (left.length) this.tell(element("p", {}, this.say("at_most", { n: this.given.most })));
    };
    const bar = element(
      "div",
      { class: "album" },
      element("button", { type: "button", class: "back", onclick: back }, icon("back"), this.say("back")),
      element("span", { class: "gap" }),
      this.given.many && all.length > 1
        ? element("button", { type: "button", onclick: takeAll }, `${this.say("take_all")} (${all.length})`)
        : null,
    );
    grid.add(children, children.length);
    this.main.replaceChildren(bar, element("p", { class: "caption" }, album.caption), grid.list);
    this.main.scrollTop = 0;
    grid.focus();
  }

  private cleared(): void {
    this.picked.clear();
    this.changed("");
  }

  private changed(said: string): void {
    this.hush();
    this.grid?.refresh();
    this.albumGrid?.refresh();
    this.showFoot();
    this.announce(said);
  }

  // ------------------------------------------------------------------ choosing

  private async choose(): Promise<void> {
    if (this.working || !this.picked.size) return;
    this.work(true);
    try {
      await this.takeAll();
    } catch (error) {
      this.work(false);
      const kind = error instanceof Failed ? error.kind : "";
      if (kind === "gone") this.dropped(error as Failed);
      return this.fail(error, "again", () => void this.choose());
    }
    const results = this.picked.list().map(([key]) => this.picked.done.get(key) as Chosen);
    this.opener.busy(false);
    this.opener.chosen(this.given.many ? results : results[0]);
  }

  // A few at once; what is done stays done when another one fails, so that trying again does not make it twice.
  private async takeAll(): Promise<void> {
    const wanted = this.picked.list();
    const waiting = wanted.filter(([key]) => !this.picked.done.has(key));
    const bar = element("progress", { max: String(wanted.length), value: "0", "aria-label": this.say("loading") });
    const words = element("p", {}, "");
    this.tell(words, bar);
    const next = async (): Promise<void> => {
      for (let one = waiting.shift(); one; one = waiting.shift()) {
        const [key, { account, item }] = one;
        words.textContent = this.say("getting", { i: Math.min(this.picked.done.size + 1, wanted.length), n: wanted.length });
        const body = { account, media: item.media, child: item.child ?? null };
        try {
          this.picked.done.set(key, await this.server.post<Chosen>("/dialog/choose", body));
        } catch (error) {
          waiting.length = 0;
          throw Object.assign(error as Error, { key });
        }
        bar.value = this.picked.done.size;
        this.opener.progress((100 * this.picked.done.size) / wanted.length);
      }
    };
    const lanes = await Promise.allSettled(Array.from({ length: AT_ONCE }, next));
    const broken = lanes.find((lane): lane is PromiseRejectedResult => lane.status === "rejected");
    if (broken) throw broken.reason;
  }

  private dropped(error: Failed): void {
    const key = (error as Failed & { key?: string }).key;
    if (key) this.picked.drop(key);
    this.changed("");
  }

  private work(isWorking: boolean): void {
    this.working = isWorking;
    this.root.classList.toggle("working", isWorking);
    this.opener.busy(isWorking);
    this.showFoot();
  }

  // ------------------------------------------------------------------ sharing a file

  private showExport(): void {
    const { url } = this.given;
    this.showFoot();
    if (!url) return this.fail(new Failed("unsupported", ""), "cancel", () => this.leave());
    const caption = element("textarea", { id: "caption", rows: "5", maxlength: "2200" });
    const share = element("button", { class: "first" }, this.say("publish"));
    const form = element(
      "form",
      { class: "card share" },
      element("img", { class: "shared", src: url, alt: "" }),
      element("label", { for: "caption" }, this.say("caption")),
      caption,
      share,
    );
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (!this.working) void this.share(caption.value, share);
    });
    this.main.replaceChildren(form);
    caption.focus();
  }

  private async share(caption: string, button: HTMLButtonElement): Promise<void> {
    this.working = true;
    button.disabled = true;
    button.textContent = this.say("publishing");
    try {
      const made = await this.server.post<Chosen>("/dialog/export", { account: this.account?.id, caption });
      this.opener.chosen(made);
    } catch (error) {
      this.fail(error, "again", () => void this.share(caption, button));
    } finally {
      this.working = false;
      button.disabled = false;
      button.textContent = this.say("publish");
    }
  }

  // ------------------------------------------------------------------ telling

  private fail(error: unknown, action: string, again: () => void): void {
    const word = wordOf(error);
    const reconnects = word === "e_reconnect";
    const connects = ["e_reconnect", "e_declined", "e_personal", "e_role"].includes(word);
    const detail = word === "e_other" && error instanceof Failed && error.message ? element("p", { class: "quiet", lang: "en" }, error.message) : "";
    const button = element(
      "button",
      { type: "button", onclick: () => (connects ? this.connect() : (this.hush(), again())) },
      this.say(connects ? "reconnect" : action),
    );
    const kept = reconnects && this.picked.size ? ` ${this.say("kept")}` : "";
    this.tell(element("p", {}, this.say(word) + kept), detail, word === "e_ended" || word === "e_setup" ? "" : button);
  }

  private tell(...shown: (Node | string)[]): void {
    this.waitingFor = undefined;
    this.notice.replaceChildren(...shown.filter((one) => one !== ""));
  }

  private hush(): void {
    this.waitingFor = undefined;
    this.notice.replaceChildren();
  }

  private announce(words: string): void {
    this.status.textContent = words;
  }

  private leave(): void {
    this.connecting.stop();
    this.opener.closed(this.given.purpose === "save" ? 131 : 101);
  }

  private say(key: string, values: Record<string, string | number> = {}): string {
    return this.words.say(key, values);
  }
}
