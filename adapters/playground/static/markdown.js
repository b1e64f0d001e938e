// A little markdown, as chats know it, made into elements: nothing that a member writes becomes HTML.
import { h } from "./dom.js";
import { store } from "./store.js";

// What stands behind a backslash is a character and nothing else, within every mark.
const CHAR = "(?:\\\\.|[^\\n\\\\])";
const INLINE = new RegExp(
  [
    "\\\\([!-/:-@[-`{-~])",
    "`([^`\\n]+)`",
    `\\*\\*(${CHAR}+?)\\*\\*(?!\\*)`,
    "(?<![\\w*])[*_](?![\\s*_])((?:\\\\.|[^*_\\n\\\\])+)[*_](?![\\w*])",
    `~~(${CHAR}+?)~~`,
    "\\[((?:\\\\.|[^\\]\\n\\\\])+)\\]\\((https?://[^\\s)]+|kinfolk:[^\\s)]+)\\)",
    "<(https?://[^\\s<>]+)>",
    "(https?://[^\\s<>\\\\]*[^\\s<>\\\\.,;:!?)\\]}'\"*_~。，；：！？）」])",
    "(?<![\\p{L}\\p{N}/#])#([\\p{L}\\p{N}][\\p{L}\\p{N}_-]*)",
    "(?<![\\p{L}\\p{N}])@([\\p{L}\\p{N}][\\p{L}\\p{N}._-]*)",
  ].join("|"),
  "gu",
);

function link(address, text) {
  return h("a", { href: address, rel: "noopener noreferrer", target: "_blank" }, text);
}

function channel(name) {
  const room = [...store.rooms.values()].find((one) => one.name === name && one.audience !== "direct");
  return room ? channelLink(room, `#${name}`) : `#${name}`;
}

const channelLink = (room, text) => h("a", { class: "channel-link", href: `#${room.id}`, "data-room": room.id }, text);

/** Show what a link of the bot's names: a channel, a member or a message of ours; of anything else its words. */
function reference(address, text) {
  const [, kind, name] = address.match(/^kinfolk:(\w+):playground:(.+)$/) ?? [];
  const id = name && named(name);
  if (kind === "channel" && store.rooms.has(id)) return channelLink(store.rooms.get(id), text);
  if (kind === "member" && store.members.has(id)) return mention(id);
  const room = kind === "message" && [...store.rooms.keys()].find((one) => id.startsWith(`${one}/`));
  return room ? h("a", { class: "channel-link", href: `#${id}`, "data-room": room, "data-at": id }, text) : text;
}

function named(name) {
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}

function mention(name) {
  const member = store.members.get(name);
  return member ? h("span", { class: "mention" }, `@${member.name}`) : `@${name}`;
}

function inline(text) {
  const parts = [];
  let at = 0;
  for (const match of text.matchAll(INLINE)) {
    parts.push(text.slice(at, match.index));
    const [, escaped, code, bold, italic, struck, label, address, angled, bare, room, person] = match;
    if (escaped) parts.push(escaped);
    else if (code) parts.push(h("code", {}, code));
    else if (bold) parts.push(h("strong", {}, inline(bold)));
    else if (italic) parts.push(h("em", {}, inline(italic)));
    else if (struck) parts.push(h("s", {}, inline(struck)));
    else if (label) parts.push(address.startsWith("kinfolk:") ? reference(address, unescaped(label)) : link(address, unescaped(label)));
    else if (angled) parts.push(link(angled, angled));
    else if (bare) parts.push(link(bare, bare));
    else if (room) parts.push(channel(room));
    else if (person) parts.push(mention(person));
    at = match.index + match[0].length;
  }
  parts.push(text.slice(at));
  return parts.filter((part) => part !== "");
}

const unescaped = (text) => text.replace(/\\([!-/:-@[-`{-~])/g, "$1");

const HEADING = /^#{1,6}\s+/;
const BULLET = /^\s*[-*•]\s+/;
const NUMBER = /^\s*\d+[.)]\s+/;
const QUOTE = /^>\s?/;

function kindOf(line) {
  if (QUOTE.test(line)) return "quote";
  if (HEADING.test(line)) return "heading";
  if (BULLET.test(line)) return "bullets";
  if (NUMBER.test(line)) return "numbers";
  return line.trim() ? "words" : "gap";
}

function block(kind, lines) {
  const item = (pattern) => (line) => h("li", {}, inline(line.replace(pattern, "")));
  if (kind === "quote") return h("blockquote", {}, blocks(lines.map((line) => line.replace(QUOTE, ""))));
  if (kind === "heading") return h("p", {}, lines.map((line) => h("strong", {}, inline(line.replace(HEADING, "")))));
  if (kind === "bullets") return h("ul", {}, lines.map(item(BULLET)));
  if (kind === "numbers") {
    return h("ol", { start: parseInt(lines[0], 10) }, lines.map(item(NUMBER)));
  }
  return h("p", {}, lines.flatMap((line, number) => [number ? h("br") : null, ...inline(line)]));
}

function blocks(lines) {
  const made = [];
  let run = [];
  const finish = (kind) => {
    if (run.length && kind !== "gap") made.push(block(kind, run));
    run = [];
  };
  let last = "gap";
  for (const line of lines) {
    const kind = kindOf(line);
    if (kind !== last || kind === "heading") finish(last);
    run.push(line);
    last = kind;
  }
  finish(last);
  return made;
}

/** Return a message's text on one line, without its marks. */
export function plain(text) {
  const words = text.replace(/(?<!\\)\[((?:\\.|[^\]\n\\])+)\]\((?:https?:\/\/|kinfolk:)[^\s)]+\)/g, "$1");
  const bare = words.replace(/\\([!-/:-@[-`{-~])|```|\*\*|~~|`|^>\s?|^#{1,6}\s+/gm, (_, escaped) => escaped ?? "");
  return bare.replace(/\s+/g, " ").trim();
}

/** Return how a text begins, on one line: its first line, cut where it is long. */
export function opening(text, most = 90) {
  const [first = "", ...more] = text.split("\n").map(plain).filter(Boolean);
  return more.length || first.length > most ? `${first.slice(0, most)} …` : first;
}

/** Make elements of a message's text. */
export function render(text) {
  return text.split(/```(?:\w*\n)?/).flatMap((part, number) => {
    if (number % 2) return [h("pre", {}, h("code", {}, part.replace(/\n$/, "")))];
    return blocks(part.split("\n"));
  });
}
