// One message: its words, what hangs on it, and what one can do with it.
import { deed, why } from "./app.js";
import { avatar, fill, h, icon, iconButton } from "./dom.js";
import { plain, render } from "./markdown.js";
import { isStaff, member, room, store } from "./store.js";
import { clockTime, longTime, t } from "./words.js";
import { startEditing, startReply } from "./composer.js";
import { ghostCard } from "./ghost.js";

const EMOJI = ["👍", "❤️", "😄", "🎉", "🙏", "👀"];

/** Make the row of a message; a close one stands under another of the same author. */
export function messageRow(message, close) {
  const author = member(message.author);
  const state = [close && "close", message.only && "only", author.bot && "bot", message.deleted_by && "gone"].filter(Boolean);
  return h(
    "article",
    { class: `message ${state.join(" ")}`, "data-message": message.id, "data-text": message.text, tabindex: "-1", "aria-label": `${author.name}, ${longTime(message.at)}` },
    close ? h("time", { class: "beside", datetime: message.at }, clockTime(message.at)) : avatar(author),
    h("div", { class: "content" }, !close && byline(message, author), message.only && onlyYou(message), quote(message), body(message), ...below(message)),
  );
}

function byline(message, author) {
  return h(
    "header",
    {},
    h("strong", { class: "author" }, author.name),
    author.bot && h("span", { class: "chip accent" }, t("bot")),
    h("time", { datetime: message.at, title: longTime(message.at) }, clockTime(message.at)),
    message.thread && h("span", { class: "thread", title: t("thread") }, `↳ ${message.thread.name}`),
  );
}

function onlyYou(message) {
  return h("p", { class: "only-you" }, icon("eye"), t("only_you"), message.answers && h("code", {}, message.answers));
}

function quote(message) {
  if (!message.quote) return null;
  const { author, text } = message.quote;
  return h(
    "a",
    { class: "quote", href: `#${message.reply_to}`, "data-room": message.room, "data-at": message.reply_to },
    h("strong", {}, member(author).name),
    ` ${plain(text) || t("deleted")}`,
  );
}

function body(message) {
  if (message.deleted_by) {
    return h("p", { class: "tombstone" }, fate(message), " ", whyLink(message, message.deleted_by === store.bot));
  }
  return h("div", { class: "words" }, render(message.text), message.edited && edited());
}

function fate({ author, deleted_by: by }) {
  if (by !== author) return t("deleted.by", { name: member(by).name });
  return author === store.bot ? t("taken_back", { name: member(by).name }) : t("deleted");
}

const edited = () => h("span", { class: "edited" }, t("edited"));

function below(message) {
  const byBot = member(message.author).bot && message.author === store.bot;
  return [
    message.entry && calendarCard(message.entry),
    message.poll && pollCard(message),
    message.files.length > 0 && h("ul", { class: "files" }, message.files.map((file, number) => fileLink(message, file, number))),
    ...rowsOf(message.buttons).map((row) => h("div", { class: "buttons" }, row.map((one) => pressable(message, one)))),
    ...message.ghosts.map((ghost) => ghostCard(message, ghost)),
    message.reactions.length > 0 && h("div", { class: "reactions" }, message.reactions.map((one) => reaction(message, one))),
    byBot && !message.deleted_by && !message.ghosts.length && whyLink(message, true),
  ];
}

function whyLink(message, shown) {
  if (!shown) return null;
  return h("button", { type: "button", class: "link why", onclick: () => why(message.id) }, t("why"));
}

function calendarCard(entry) {
  return h("div", { class: "card entry" }, icon("calendar"), h("div", {}, h("strong", {}, entry.title), h("p", {}, `${longTime(entry.starts)} – ${clockTime(entry.ends)}`)));
}

function pollCard(message) {
  const votes = Object.entries(message.poll.votes);
  const options = message.poll.options.map((option, number) => {
    const count = votes.filter(([, choice]) => choice === number).length;
    const mine = message.poll.votes[store.me] === number;
    return h(
      "button",
      { type: "button", class: `option ${mine ? "mine" : ""}`, "aria-pressed": String(mine), onclick: () => deed("vote", { message: message.id, option: number }) },
      h("span", {}, option),
      h("meter", { max: Math.max(votes.length, 1), value: count, "aria-hidden": "true" }),
      h("span", { class: "count" }, String(count)),
    );
  });
  return h("div", { class: "card poll" }, h("strong", {}, message.poll.question), options);
}

function fileLink(message, file, number) {
  const query = new URLSearchParams({ as: store.me, message: message.id, number });
  const address = `/api/attachment?${query}`;
  const shown = file.picture ? h("img", { src: address, alt: file.name, loading: "lazy" }) : icon("file");
  return h("li", {}, h("a", { class: file.picture ? "picture" : "", href: address, download: file.name }, shown, file.name, h("small", {}, ` ${size(file.size)}`)));
}

const size = (bytes) => (bytes < 1024 ? `${bytes} B` : `${(bytes / 1024).toFixed(1)} kB`);

/** Put buttons that repeat, as those of several offers do, in a row each. */
function rowsOf(buttons) {
  const rows = [...new Set(buttons.map((one) => one.row))];
  if (rows.length > 1) return rows.map((row) => buttons.filter((one) => one.row === row));
  const repeats = (length) => buttons.every((one, at) => at % length === 0 || one.label === buttons[at % length].label);
  let length = 2;
  while (length < buttons.length && (buttons.length % length || !repeats(length))) length++;
  return buttons.flatMap((_, at) => (at % length ? [] : [buttons.slice(at, at + length)]));
}

function pressable(message, button) {
  const mine = !button.only || button.only === store.me;
  const title = mine ? null : t("for_whom", { name: member(button.only).name });
  return h("button", { type: "button", class: "plain", disabled: !mine, title, onclick: (event) => press(event.currentTarget, message, button) }, button.label);
}

async function press(element, message, button) {
  element.disabled = true;
  await deed("press", { message: message.id, token: button.token });
  element.disabled = false;
}

function reaction(message, { emoji, members }) {
  const mine = members.includes(store.me);
  const names = members.map((id) => member(id).name).join(", ");
  return h(
    "button",
    { type: "button", class: `reaction ${mine ? "mine" : ""}`, "aria-pressed": String(mine), title: names, onclick: () => deed("mark", { message: message.id, emoji, on: !mine }) },
    emoji,
    " ",
    String(members.length),
  );
}

/** Hang what one can do with a message on its row, once somebody turns to it. */
export function addTools(row, message) {
  if (!message.deleted_by && !row.querySelector(".tools")) row.append(tools(message));
}

function tools(message) {
  const own = message.author === store.me;
  const writes = room()?.joined && !message.only;
  return h(
    "div",
    { class: "tools", role: "group", "aria-label": t("tools") },
    writes && EMOJI.slice(0, 3).map((emoji) => emojiButton(message, emoji)),
    writes && iconButton("smile", t("react"), (event) => moreEmoji(event.currentTarget, message)),
    writes && iconButton("reply", t("reply"), () => startReply(message)),
    own && writes && iconButton("pen", t("edit"), () => startEditing(message)),
    (own || isStaff() || message.only) && iconButton("bin", t("delete"), () => deed("remove", { message: message.id })),
    iconButton("why", t("why"), () => why(message.id), { class: message.considered ? "considered" : "" }),
  );
}

function emojiButton(message, emoji) {
  const mine = message.reactions.some((one) => one.emoji === emoji && one.members.includes(store.me));
  const onclick = () => deed("mark", { message: message.id, emoji, on: !mine });
  return h("button", { type: "button", class: "quiet emoji", "aria-label": `${t("react")} ${emoji}`, onclick }, emoji);
}

function moreEmoji(button, message) {
  button.replaceWith(...EMOJI.slice(3).map((emoji) => emojiButton(message, emoji)));
}

const QUICK = matchMedia("(prefers-reduced-motion: reduce)");

/** Let words that were added to a message appear one after another, as they are said. */
export function growBody(old, next, moved) {
  const before = old.dataset.text, after = next.dataset.text;
  const words = next.querySelector(".words");
  const mark = words?.querySelector(".edited");
  if (!words || QUICK.matches || !before || after === before || !after.startsWith(before)) return;
  let shown = Number(old.dataset.shown ?? before.length);
  const step = () => {
    if (!next.isConnected && shown > before.length) return;
    shown = Math.min(after.length, shown + Math.max(2, Math.ceil((after.length - shown) / 10)));
    next.dataset.shown = String(shown);
    fill(words, render(after.slice(0, shown)), shown === after.length && mark);
    moved();
    if (shown < after.length) requestAnimationFrame(step);
  };
  step();
}
