// A little markdown, as chats know it, made into elements: nothing that a member writes becomes HTML.
import { h } from "./dom.js";
import { store } from "./store.js";

const INLINE = new RegExp(
  [
    "`([^`\\n]+)`",
    "\\*\\*([^\\n]+?)\\*\\*",
    "(?<![\\w*])[*_]([^\\s*_][^*_\\n]*?)[*_](?![\\w*])",
    "~~([^\\n]+?)~~",
    "\\[([^\\]\\n]+)\\]\\((https?://[^\\s)]+)\\)",
    "(https?://[^\\s<>]+[^\\s<>.,;:!?)\\]}'\"。，；：！？）」])",
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
  return room ? h("a", { class: "channel-link", href: `#${room.id}`, "data-room": room.id }, `#${name}`) : `#${name}`;
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
    const [, code, bold, italic, struck, label, address, bare, room, person] = match;
    if (code) parts.push(h("code", {}, code));
    else if (bold) parts.push(h("strong", {}, inline(bold)));
    else if (italic) parts.push(h("em", {}, inline(italic)));
    else if (struck) parts.push(h("s", {}, inline(struck)));
    else if (label) parts.push(link(address, label));
    else if (bare) parts.push(link(bare, bare));
    else if (room) parts.push(channel(room));
    else if (person) parts.push(mention(person));
    at = match.index + match[0].length;
  }
  parts.push(text.slice(at));
  return parts.filter((part) => part !== "");
}

const BULLET = /^\s*[-*•]\s+/;
const NUMBER = /^\s*\d+[.)]\s+/;
const QUOTE = /^>\s?/;

function kindOf(line) {
  if (QUOTE.test(line)) return "quote";
  if (BULLET.test(line)) return "bullets";
  if (NUMBER.test(line)) return "numbers";
  return line.trim() ? "words" : "gap";
}

function block(kind, lines) {
  const item = (pattern) => (line) => h("li", {}, inline(line.replace(pattern, "")));
  if (kind === "quote") return h("blockquote", {}, blocks(lines.map((line) => line.replace(QUOTE, ""))));
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
    if (kind !== last) finish(last);
    run.push(line);
    last = kind;
  }
  finish(last);
  return made;
}

/** Return a message's text on one line, without its marks. */
export function plain(text) {
  return text.replace(/```|\*\*|~~|`|^>\s?/gm, "").replace(/\s+/g, " ").trim();
}

/** Make elements of a message's text. */
export function render(text) {
  return text.split(/```(?:\w*\n)?/).flatMap((part, number) => {
    if (number % 2) return [h("pre", {}, h("code", {}, part.replace(/\n$/, "")))];
    return blocks(part.split("\n"));
  });
}
