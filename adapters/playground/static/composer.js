// Where one writes: messages, replies, edits and commands.
import { deed, toast } from "./app.js";
import { byId, fill, h, icon, iconButton } from "./dom.js";
import { log, me, member, room, store } from "./store.js";
import { opening } from "./markdown.js";
import { t } from "./words.js";
import { complete, completionKey, hideCompletion } from "./completion.js";

const drafts = new Map();
const pictures = new Map();
const LONGEST = 4000;
const LARGEST = 8 * 1024 * 1024;
const SHOWN = ["image/png", "image/jpeg", "image/webp", "image/gif"];

/** Draw the composer of the channel, or what stands in its way. */
export function drawComposer() {
  const place = byId("composer");
  place.onsubmit = (event) => {
    event.preventDefault();
    submit();
  };
  const writing = document.activeElement === byId("write") && document.activeElement.selectionStart;
  const obstacle = whatIsInTheWay();
  place.classList.toggle("blocked", Boolean(obstacle));
  if (obstacle) return fill(place, obstacle);
  fill(
    place,
    context(),
    chosen(),
    h("div", { class: "completion", id: "completion", role: "listbox", "aria-label": t("commands"), hidden: true }),
    field(),
  );
  grow();
  if (writing !== false) goOn(writing);
}

/** Let whoever was writing when it was drawn anew go on at that place, with what they were offered. */
function goOn(place) {
  const area = byId("write");
  area.focus();
  area.setSelectionRange(place, place);
  if (!store.editing) complete(area);
}

/** Put the cursor where one writes. */
export function focusComposer() {
  byId("write")?.focus();
}

/** Answer a message. */
export function startReply(message) {
  Object.assign(store, { reply: message, editing: null });
  drawComposer();
  focusComposer();
}

/** Change one's own message. */
export function startEditing(message) {
  Object.assign(store, { editing: message, reply: null });
  drafts.set(key(), message.text);
  drawComposer();
  focusComposer();
}

/** Change one's newest message in this channel. */
export function editLast() {
  const own = [...log(store.room).messages.values()].filter((one) => one.author === store.me && !one.deleted_by);
  if (own.length) startEditing(own.at(-1));
}

function whatIsInTheWay() {
  const here = room(), self = me();
  if (!here || self?.state !== "here") return h("p", { class: "obstacle" }, t("cannot_write"));
  if (here.archived) return h("p", { class: "obstacle" }, t("archived.about"));
  if (self.quiet_until) {
    return h("p", { class: "obstacle" }, t("quiet", { until: new Date(self.quiet_until).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" }) }));
  }
  if (here.joined) return null;
  const join = h("button", { type: "button", class: "main", onclick: () => deed("join", { room: here.id }) }, t("join"));
  return h("p", { class: "obstacle" }, t("join_first", { name: here.name }), join);
}

function context() {
  const about = store.editing ?? store.reply;
  if (!about) return null;
  const words = store.editing ? t("editing") : t("replying", { name: member(about.author).name });
  return h("div", { class: "context" }, h("span", {}, words), h("span", { class: "quoted" }, opening(about.text, 120)), iconButton("close", t("cancel"), cancel));
}

function field() {
  const here = room();
  const placeholder = here.audience === "direct" ? t("write.direct") : t("write", { name: here.name });
  const area = h("textarea", {
    id: "write",
    rows: 1,
    maxlength: LONGEST,
    placeholder,
    "aria-label": placeholder,
    role: "combobox",
    "aria-expanded": "false",
    "aria-controls": "completion",
    "aria-autocomplete": "list",
    oninput: onInput,
    onkeydown: onKey,
    onpaste: onPaste,
    onblur: () => setTimeout(() => document.activeElement !== byId("write") && hideCompletion(), 150),
  });
  area.value = drafts.get(key()) ?? "";
  return h("div", { class: "field" }, area, !store.editing && chooser(), h("button", { class: "main send", "aria-label": t("send"), title: t("send") }, icon("send")));
}

function chooser() {
  const input = h("input", { type: "file", accept: SHOWN.join(), hidden: true, onchange: () => choose(input.files[0]) });
  return [iconButton("picture", t("picture"), () => input.click()), input];
}

function chosen() {
  const picture = pictures.get(key());
  if (!picture) return null;
  const drop = () => {
    pictures.delete(key());
    drawComposer();
    focusComposer();
  };
  return h("div", { class: "context" }, icon("picture"), h("span", { class: "quoted" }, picture.name), iconButton("close", t("cancel"), drop));
}

function onPaste(event) {
  const file = [...event.clipboardData.files].find((one) => SHOWN.includes(one.type));
  if (!file || store.editing) return;
  event.preventDefault();
  choose(file);
}

async function choose(file) {
  if (!file) return;
  if (!SHOWN.includes(file.type)) return toast(t("picture.kinds"));
  if (file.size > LARGEST) return toast(t("picture.large"));
  const name = key(), read = new FileReader();
  read.onload = () => {
    pictures.set(name, { name: file.name || "picture", data: read.result.split(",")[1] });
    drawComposer();
    focusComposer();
  };
  read.readAsDataURL(file);
}

const key = () => (store.editing ? `edit ${store.editing.id}` : `${store.me} ${store.room}`);

function onInput(event) {
  drafts.set(key(), event.target.value);
  grow();
  if (!store.editing) complete(event.target);
}

function onKey(event) {
  if (event.isComposing) return;
  if (completionKey(event)) return event.preventDefault();
  if (event.key === "Enter" && !event.shiftKey) {
    event.preventDefault();
    submit();
  } else if (event.key === "Escape" && (store.reply || store.editing)) {
    cancel();
  } else if (event.key === "ArrowUp" && !event.altKey && event.target.value === "") {
    event.preventDefault();
    editLast();
  }
}

function cancel() {
  drafts.delete(key());
  Object.assign(store, { reply: null, editing: null });
  drawComposer();
  focusComposer();
}

function grow() {
  const area = byId("write");
  if (!area) return;
  area.style.height = "auto";
  area.style.height = `${Math.min(area.scrollHeight, 180)}px`;
}

let line = Promise.resolve(); // what is sent arrives in the order in which it was written

/** Send what is in the field, which is free at once for what comes next. */
function submit() {
  const from = key();
  const { me: by, room: there, reply, editing } = store;
  const sent = { by, there, reply, editing, text: byId("write")?.value.trim() ?? "", picture: pictures.get(from) ?? null };
  if (!sent.text && !sent.picture) return;
  if (sent.text.length > LONGEST) return toast(t("refused.too_long", { most: LONGEST, length: sent.text.length }));
  drafts.delete(from);
  pictures.delete(from);
  Object.assign(store, { reply: null, editing: null });
  drawComposer();
  focusComposer();
  line = deliver(sent, from, line);
}

async function deliver(sent, from, before) {
  await before.catch(() => {}); // told where it happened
  if (!(await send(sent))) giveBack(sent, from);
}

function send({ by, there, reply, editing, text, picture }) {
  if (editing) return deed("change", { by, message: editing.id, text });
  if (!picture && /^\/[a-z]/.test(text)) return deed("use", { by, room: there, line: text });
  return deed("write", { by, room: there, text, reply_to: reply?.id ?? "", picture });
}

/** Put back what could not be sent, before what was written since. */
function giveBack({ by, there, reply, editing, text, picture }, from) {
  drafts.set(from, [text, drafts.get(from)].filter(Boolean).join("\n"));
  if (picture && !pictures.has(from)) pictures.set(from, picture);
  if (store.me !== by || store.room !== there) return;
  if (!store.reply && !store.editing) Object.assign(store, { reply, editing });
  drawComposer();
}
