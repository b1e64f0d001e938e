// The page begins here: it knows every part and tells each what changed.
import { act, ask, follow, Refused } from "./api.js";
import { byId, fill, h } from "./dom.js";
import { goHome, keepLog, log, me, member, remember, room, store, takeMessage, takeState } from "./store.js";
import { loadWords, t } from "./words.js";
import { greet } from "./arrival.js";
import { drawBegin } from "./begin.js";
import { drawChannels } from "./channels.js";
import { drawComposer, focusComposer } from "./composer.js";
import { drawHead, drawLog, jumpTo, showMessages } from "./conversation.js";
import { closeDrawers, drawTop } from "./top.js";
import { drawSide, showWhy } from "./side.js";
import { plain } from "./markdown.js";
import { listenToKeys } from "./keys.js";

let drawn = 0;

/** Do something and say what went wrong, if anything did. Returns what the server made, or null. */
export async function attempt(work) {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    toast(error.message);
    return null;
  }
}

/** Do a deed as the member one is. */
export const deed = (name, details) => attempt(() => act(name, details));

/** Say something for some seconds; with what there is to do about it, for longer. */
export function toast(sentence, label = "", onclick = null) {
  const place = byId("toast");
  const doing = () => {
    place.hidden = true;
    onclick();
  };
  fill(place, sentence, label && h("button", { type: "button", class: "doing", onclick: doing }, label));
  place.hidden = false;
  clearTimeout(toast.timer);
  toast.timer = setTimeout(() => (place.hidden = true), label ? 20_000 : 6000);
}

/** Draw everything anew, as after another member or another language. */
export function drawAll() {
  document.documentElement.lang = store.language === "zh_CN" ? "zh-CN" : "en";
  document.title = `${t("title")} · ${store.space}`;
  drawTop();
  drawChannels();
  drawHead();
  drawBegin();
  drawLog();
  drawComposer();
  drawSide();
}

/** Open a channel, with its newest messages. */
export async function openRoom(id) {
  if (!store.rooms.has(id)) return;
  Object.assign(store, { room: id, reply: null, editing: null });
  store.unread.delete(id);
  closeDrawers();
  const turn = ++drawn;
  if (!log(id)) {
    const found = await attempt(() => ask("messages", { room: id }));
    if (!found || turn !== drawn) return;
    keepLog(id, found.messages, found.more);
  }
  drawChannels();
  drawHead();
  drawLog();
  drawComposer();
}

/** Open the channel of a message and show it. */
export async function openMessage(roomId, id) {
  if (roomId !== store.room) await openRoom(roomId);
  if (!jumpTo(id)) toast(t("not_on_page"));
}

/** See the space as another member. */
export async function become(id, since = "") {
  remember("me", id);
  store.logs.clear();
  store.unread.clear();
  store.side = { tab: "members", message: "", traces: null };
  await start({ moving: true });
  if (since) markSince(since);
  focusComposer();
}

/** Ask why, and show the answer beside the conversation. */
export const why = (id) => attempt(() => showWhy(id));

/** Set the page, and the member's platform, to a language. */
export async function speak(language) {
  remember("language", language);
  drawAll();
  if (me()) await deed("speak", { language });
  onSpace();
}

/** Mark the channels where something was said since an instant. */
function markSince(since) {
  for (const one of store.rooms.values()) {
    if (one.joined && one.id !== store.room && one.last > since) store.unread.set(one.id, 1);
  }
  drawChannels();
}

async function start({ moving = false } = {}) {
  const state = await attempt(() => ask("state"));
  if (!state) {
    setTimeout(start, 2000);
    return;
  }
  store.position = state.position;
  takeState(state);
  if (moving && !room()?.joined) goHome();
  showBanner(state.banner);
  drawAll();
  await openRoom(store.room);
  if (me() && !me().language) await deed("speak", { language: store.language });
  follow({ message: onMessage, space: onSpace, over: startOver, connected: onConnection });
}

function startOver() {
  store.logs.clear();
  start();
}

let waiting = [];

/** Messages that come within one frame are shown at once. */
function onMessage(message) {
  if (!waiting.length) (document.hidden ? setTimeout : requestAnimationFrame)(showWaiting);
  waiting.push(takeMessage(message));
}

function showWaiting() {
  const taken = waiting;
  waiting = [];
  const here = taken.filter(({ message }) => message.room === store.room);
  showMessages(here);
  for (const { message, fresh } of taken) {
    greet(message);
    if (fresh && message.author !== store.me) announce(message);
  }
  if (store.side.tab === "why" && here.some(({ message }) => message.id === store.side.message)) why(store.side.message);
}

function announce(message) {
  if (message.room !== store.room) countUnread(message.room);
  else byId("spoken").textContent = t("spoken", { name: member(message.author).name, text: plain(message.text) });
}

function countUnread(id) {
  if (!store.rooms.get(id)?.joined) return;
  store.unread.set(id, (store.unread.get(id) ?? 0) + 1);
  drawChannels();
}

let refreshing = null;

/** Channels or members changed; many changes at once are one look. */
function onSpace() {
  refreshing ??= setTimeout(async () => {
    refreshing = null;
    const before = `${store.room} ${room()?.joined} ${room()?.archived} ${me()?.state} ${me()?.quiet_until}`;
    const state = await attempt(() => ask("state"));
    if (!state) return;
    takeState(state);
    drawTop();
    drawChannels();
    drawHead();
    drawSide();
    const after = `${store.room} ${room()?.joined} ${room()?.archived} ${me()?.state} ${me()?.quiet_until}`;
    if (before !== after) await openRoom(store.room);
    if (!store.room) drawAll();
  }, 60);
}

function onConnection(there) {
  document.body.classList.toggle("away", !there);
}

function showBanner(sentence) {
  const place = byId("banner");
  place.textContent = sentence;
  place.hidden = !sentence;
}

async function watchReadiness() {
  const told = await ask("ready").catch(() => ({ banner: "" }));
  showBanner(told.banner);
  setTimeout(watchReadiness, told.banner ? 2000 : 15000);
}

await loadWords();
listenToKeys();
await start();
setTimeout(watchReadiness, 2000);
