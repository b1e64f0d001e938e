// The middle pane: one channel's messages.
import { attempt, deed, openMessage, openRoom } from "./app.js";
import { ask } from "./api.js";
import { byId, fill, h, icon, iconButton } from "./dom.js";
import { isStaff, keepLog, log, me, room, store } from "./store.js";
import { dayName, t } from "./words.js";
import { editChannel } from "./dialogs.js";
import { addTools, growBody, messageRow } from "./message.js";

const CLOSE = 5 * 60 * 1000; // two messages of one author nearer than this stand together

/** Draw the name of the channel and what one can do with it. */
export function drawHead() {
  const here = room();
  if (!here) return fill(byId("head"));
  const direct = here.audience === "direct";
  const sign = here.audience === "members" ? icon("lock") : direct ? null : h("span", { class: "hash" }, "#");
  fill(
    byId("head"),
    h("div", { class: "title" }, h("h2", {}, sign, here.name), h("p", { title: here.description }, direct ? t("direct.about") : here.description)),
    h("span", { class: "spring" }),
    !direct && isStaff() && iconButton("gear", t("channel.edit"), () => editChannel(here)),
    !direct && here.joined && h("button", { type: "button", class: "plain", onclick: () => deed("leave", { room: here.id }) }, t("leave")),
    !direct && !here.joined && h("button", { type: "button", class: "main", onclick: () => deed("join", { room: here.id }) }, t("join")),
  );
}

/** Draw the channel's messages, the newest in view. */
export function drawLog() {
  const place = byId("log");
  const known = log(store.room);
  place.setAttribute("aria-label", t("messages"));
  place.onclick = onClick;
  place.onkeydown = onKey;
  place.onmouseover = (event) => equip(rowOf(event));
  place.addEventListener("focusin", onFocus); // the same listener is added once only
  place.addEventListener("load", onPicture, true); // it does not bubble
  place.onscroll = onScroll;
  byId("newer").onclick = toEnd;
  if (!known) return fill(place, nobodyHere());
  const rows = [];
  let before = null;
  for (const message of known.messages.values()) {
    rows.push(...row(message, before));
    before = message;
  }
  fill(place, known.more ? older() : beginning(), ...rows);
  toEnd();
}

/** Show messages that are new or changed, without moving what is being read. */
export function showMessages(taken) {
  if (!taken.length) return;
  const stay = near() || taken.some(({ message, fresh }) => fresh && message.author === store.me);
  for (const { message, fresh, before } of taken) {
    const old = element(message.id);
    if (old) replaceRow(old, message, stay);
    else if (fresh) byId("log").append(...row(message, before));
  }
  if (stay) toEnd();
  else if (taken.some(({ fresh }) => fresh)) announceBelow();
}

function replaceRow(old, message, stay) {
  const next = messageRow(message, old.classList.contains("close"));
  const focused = old.contains(document.activeElement);
  if (focused || old.matches(":hover, .touched")) equip(next);
  next.classList.toggle("touched", old.classList.contains("touched"));
  growBody(old, next, () => stay && toEnd());
  old.replaceWith(next);
  if (focused) next.focus();
}

function equip(row) {
  const message = row && log(store.room)?.messages.get(row.dataset.message);
  if (message) addTools(row, message);
}

const onFocus = (event) => equip(rowOf(event));
const rowOf = (event) => event.target.closest(".message");

function onKey(event) {
  if (event.key !== "ArrowUp" && event.key !== "ArrowDown") return;
  if (event.altKey || event.ctrlKey) return;
  const rows = [...byId("log").querySelectorAll(".message")];
  const at = rows.indexOf(rowOf(event));
  const next = at < 0 ? rows.at(-1) : rows[at + (event.key === "ArrowDown" ? 1 : -1)];
  if (!next) return;
  event.preventDefault();
  next.focus();
}

/** Bring a message into view; false when it is not on the page. */
export function jumpTo(id) {
  const found = element(id);
  if (!found) return false;
  found.scrollIntoView({ block: found.offsetHeight > byId("log").clientHeight ? "start" : "center" });
  found.classList.add("found");
  setTimeout(() => found.classList.remove("found"), 2500);
  return true;
}

function row(message, before) {
  const newDay = !before || new Date(before.at).toDateString() !== new Date(message.at).toDateString();
  const near = before && before.author === message.author && new Date(message.at) - new Date(before.at) < CLOSE;
  const close = !newDay && near && !message.reply_to && message.only === before.only && !before.deleted_by;
  const day = newDay && h("div", { class: "day", role: "separator" }, h("span", {}, dayName(message.at)));
  return [...(day ? [day] : []), messageRow(message, close)];
}

const element = (id) => byId("log").querySelector(`[data-message="${CSS.escape(id)}"]`);

function near() {
  const place = byId("log");
  return place.scrollHeight - place.scrollTop - place.clientHeight < 80;
}

/** Whether the newest is in view, and stays so when a picture takes its place. */
let following = true;
let reached = 0; // where the log was scrolled to last

/** Who scrolls up reads there; what merely grew below, before this was told, is followed. */
function onScroll() {
  const top = byId("log").scrollTop;
  following = near() || (following && top >= reached);
  reached = top;
  if (near()) byId("newer").hidden = true;
}

const onPicture = () => following && toEnd();

function toEnd() {
  const place = byId("log");
  place.scrollTop = place.scrollHeight;
  reached = place.scrollTop;
  following = true;
  byId("newer").hidden = true;
}

function announceBelow() {
  const button = byId("newer");
  button.textContent = t("newer");
  button.hidden = false;
}

function beginning() {
  const here = room();
  return h("p", { class: "beginning" }, here.audience === "direct" ? t("direct.begin") : t("beginning", { name: here.name }));
}

function older() {
  return h("button", { type: "button", class: "plain older", onclick: loadOlder }, t("older"));
}

async function loadOlder() {
  const known = log(store.room);
  const first = known.messages.keys().next().value;
  const found = await attempt(() => ask("messages", { room: store.room, before: first }));
  if (!found) return;
  keepLog(store.room, [...found.messages, ...known.messages.values()], found.more);
  drawLog();
  element(first)?.scrollIntoView({ block: "start" });
}

function nobodyHere() {
  const state = me()?.state ?? "here";
  if (state === "here") return h("p", { class: "beginning" }, t("loading"));
  const back = h("button", { type: "button", class: "main", onclick: () => deed("join") }, t("come_back"));
  return h("div", { class: "outside" }, h("p", {}, t(`outside.${state}`)), state === "out" && back);
}

function onClick(event) {
  const link = event.target.closest("a[data-room]");
  if (link) {
    event.preventDefault();
    return link.dataset.at ? openMessage(link.dataset.room, link.dataset.at) : openRoom(link.dataset.room);
  }
  const touched = rowOf(event);
  for (const one of byId("log").querySelectorAll(".message.touched")) if (one !== touched) one.classList.remove("touched");
  touched?.classList.add("touched");
  equip(touched);
}
