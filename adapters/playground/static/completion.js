// What may follow "/": the commands this member may use, then what each of them takes.
import { byId, fill, h } from "./dom.js";
import { log, store } from "./store.js";

let area = null;
let offers = [];
let chosen = -1;

/** Show what may follow, for the line in the field. */
export function complete(field) {
  area = field;
  const line = field.value;
  if (!/^\/\S*$|^\/\S+ /.test(line) || line.includes("\n")) return hideCompletion();
  const words = line.slice(1).split(" ");
  if (words.length === 1) show(commandOffers(words[0]), "", 0);
  else showArgument(words);
}

/** Hide it. */
export function hideCompletion() {
  offers = [];
  chosen = -1;
  const place = byId("completion");
  if (place) place.hidden = true;
  area?.setAttribute("aria-expanded", "false");
  area?.removeAttribute("aria-activedescendant");
}

/** Handle a key while it is shown; true when that was all there is to do. */
export function completionKey(event) {
  const place = byId("completion");
  if (!place || place.hidden) return false;
  if (event.key === "Escape") {
    hideCompletion();
    return true;
  }
  if (!offers.length) return false;
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    const step = event.key === "ArrowDown" ? 1 : -1;
    choose((chosen + step + offers.length) % offers.length);
    return true;
  }
  const takes = event.key === "Tab" || (event.key === "Enter" && !event.shiftKey && chosen >= 0 && !isWhole());
  if (takes) take(offers[Math.max(chosen, 0)]);
  return takes;
}

const isWhole = () => offers[chosen].line.trim() === area.value.trim();

function commandOffers(start) {
  const fitting = store.commands.filter((one) => one.name.startsWith(start.toLowerCase()));
  return fitting.map((one) => ({ name: `/${one.name}`, takes: one.arguments.map(sign).join(" "), help: one.help, line: `/${one.name}${one.arguments.length ? " " : ""}` }));
}

const sign = (argument) => (argument.required ? `<${argument.name}>` : `[${argument.name}]`);

function showArgument(words) {
  const command = store.commands.find((one) => one.name === words[0]);
  if (!command?.arguments.length) return hideCompletion();
  const number = Math.min(words.length - 2, command.arguments.length - 1);
  const argument = command.arguments[number];
  if (words.length - 2 > number && argument.type !== "text") return hideCompletion();
  const before = words.slice(0, number + 1).join(" ");
  const start = words.slice(number + 1).join(" ").toLowerCase();
  const found = valuesOf(argument).filter((one) => one.name.toLowerCase().includes(start)).slice(0, 8);
  const told = h("p", { class: "takes" }, `/${command.name} `, ...command.arguments.flatMap((one, at) => [at === number ? h("strong", {}, sign(one)) : sign(one), " "]), h("span", {}, argument.help));
  show(found.map((one) => ({ ...one, line: `/${before} ${one.value}${number < command.arguments.length - 1 ? " " : ""}` })), told, start ? 0 : -1);
}

function valuesOf(argument) {
  switch (argument.type) {
    case "choice":
      return argument.choices.map((value) => ({ name: value, value }));
    case "channel":
      return [...store.rooms.values()].filter((one) => one.audience !== "direct").map((one) => ({ name: `#${one.name}`, help: one.description, value: `#${one.name}` }));
    case "member":
      return [...store.members.values()].map((one) => ({ name: `@${one.name}`, value: `@${one.id}` }));
    case "message":
      return [...log(store.room).messages.values()].filter((one) => !one.deleted_by && one.text).slice(-30).reverse().map((one) => ({ name: one.text.slice(0, 80), value: one.id }));
    default:
      return [];
  }
}

function show(found, told, first) {
  const place = byId("completion");
  offers = found;
  if (!found.length && !told) return hideCompletion();
  fill(place, told, found.map(offer));
  place.hidden = false;
  area.setAttribute("aria-expanded", "true");
  choose(found.length ? first : -1);
}

function offer(one, number) {
  const take_it = (event) => {
    event.preventDefault();
    take(one);
  };
  return h("div", { class: "offer", role: "option", id: `offer-${number}`, onmousedown: take_it }, h("strong", {}, one.name), one.takes && h("code", {}, one.takes), one.help && h("span", {}, one.help));
}

function choose(number) {
  chosen = number;
  byId("completion").querySelectorAll(".offer").forEach((one, at) => {
    one.setAttribute("aria-selected", String(at === number));
    if (at === number) one.scrollIntoView({ block: "nearest" });
  });
  if (number >= 0) area.setAttribute("aria-activedescendant", `offer-${number}`);
  else area.removeAttribute("aria-activedescendant");
}

function take(one) {
  area.value = one.line;
  area.dispatchEvent(new Event("input", { bubbles: true }));
  area.focus();
  if (!one.line.endsWith(" ")) hideCompletion();
}
