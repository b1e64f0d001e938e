// The right pane: who is here, and why the bot did what it did.
import { deed, openMessage } from "./app.js";
import { ask } from "./api.js";
import { avatar, byId, fill, h, iconButton } from "./dom.js";
import { me, member, room, store } from "./store.js";
import { clockTime, knows, longTime, t } from "./words.js";
import { actionWords } from "./ghost.js";
import { plain } from "./markdown.js";
import { closeDrawers } from "./top.js";

/** Draw the pane. */
export function drawSide() {
  const place = byId("side");
  const scrolled = place.querySelector(".scroll")?.scrollTop ?? 0;
  place.setAttribute("aria-label", t("side"));
  const tabs = ["members", "why"].map((one) =>
    h("button", { type: "button", role: "tab", "aria-selected": String(store.side.tab === one), onclick: () => openTab(one) }, t(`tab.${one}`)),
  );
  const inside = store.side.tab === "members" ? members() : story();
  fill(
    place,
    h("div", { class: "tabs", role: "tablist" }, tabs, h("span", { class: "spring" }), iconButton("close", t("close"), closeDrawers, { class: "narrow" })),
    h("div", { class: "scroll", role: "tabpanel", tabindex: "0" }, inside),
  );
  place.querySelector(".scroll").scrollTop = scrolled;
}

/** Ask the bot about a message, and show what it says. */
export async function showWhy(id) {
  const again = store.side.message === id;
  const found = await ask("why", { message: id });
  store.side = { tab: "why", message: id, traces: found.traces };
  drawSide();
  if (!again && matchMedia("(max-width: 1023px)").matches) document.body.dataset.drawer = "side";
}

/** Turn to one of the two tabs. */
export function openTab(tab) {
  store.side.tab = tab;
  drawSide();
  if (matchMedia("(max-width: 1023px)").matches) document.body.dataset.drawer = "side";
}

function members() {
  const here = room();
  const inside = new Set(here?.members ?? []);
  const people = [...store.members.values()].filter((one) => one.state === "here");
  const away = [...store.members.values()].filter((one) => one.state !== "here" && !one.bot);
  const sorted = (list) => list.sort((a, b) => b.bot - a.bot || b.rank - a.rank || a.name.localeCompare(b.name));
  return [
    section(t("members.here"), sorted(people.filter((one) => inside.has(one.id) || one.bot))),
    section(t("members.space"), sorted(people.filter((one) => !inside.has(one.id) && !one.bot))),
    section(t("members.away"), sorted(away)),
    leaving(),
  ];
}

function section(title, people) {
  if (!people.length) return null;
  return h("section", {}, h("h3", {}, `${title} · ${people.length}`), h("ul", { class: "people" }, people.map(person)));
}

function person(one) {
  const quiet = one.quiet_until && t("quiet.short", { until: clockTime(one.quiet_until) });
  const chips = [one.rank > 0 && t(`rank.${one.rank}`), one.bot && t("bot"), one.state === "banned" && t("banned"), quiet, ...one.roles];
  return h("li", {}, avatar(one, true), h("span", { class: "name" }, one.name), chips.filter(Boolean).map((chip) => h("span", { class: "chip" }, chip)));
}

function leaving() {
  const self = me();
  if (self?.state !== "here") return null;
  return h(
    "p",
    { class: "deeds" },
    h("button", { type: "button", class: "plain", onclick: () => deed("leave") }, t("leave_space", { name: self.name })),
    self.rank === 2 && h("button", { type: "button", class: "plain", onclick: () => deed("fetch") }, t("fetch")),
  );
}

function story() {
  if (!store.side.message) return h("p", { class: "empty" }, t("why.empty"));
  if (!store.side.traces?.length) return h("p", { class: "empty" }, t("why.nothing"));
  return store.side.traces.map(trace);
}

function trace(told) {
  const kind = knows(`event.${told.kind}`) ? t(`event.${told.kind}`) : told.kind;
  const who = told.member ? member(told.member).name : "";
  const where = told.channel ? store.rooms.get(told.channel)?.name : "";
  const decided = new Set(told.decisions.map((one) => one.skill));
  const silent = told.steps.filter((step) => !decided.has(step.skill));
  return h(
    "article",
    { class: "trace" },
    h("h3", {}, kind),
    h("p", { class: "small" }, [who, where && `#${where}`, longTime(told.at), milliseconds(told.milliseconds), !told.live && t("not_live")].filter(Boolean).join(" · ")),
    told.decisions.map((one, number) => decision(told, one, number)),
    silent.length > 0 && h("h4", {}, t("others")),
    silent.length > 0 && h("ul", { class: "steps" }, silent.map(silentStep)),
    h("p", { class: "small trace-id" }, told.id),
  );
}

function decision(told, one, number) {
  const step = told.steps.find((each) => each.skill === one.skill);
  const rulings = told.rulings.filter((each) => each.decision === number);
  return h(
    "section",
    { class: "decision" },
    h("header", {}, h("strong", {}, one.skill), step && modeChip(step.mode), step && h("span", { class: "small spring-left" }, milliseconds(step.milliseconds))),
    h("p", { class: "reason" }, one.reason),
    step && step.outcome !== one.reason && h("p", { class: "small" }, step.outcome),
    one.confidence < 1 && h("p", { class: "small" }, t("confidence", { percent: Math.round(one.confidence * 100) })),
    one.evidence.length > 0 && h("div", { class: "evidence" }, h("h4", {}, t("evidence")), one.evidence.map(evidence)),
    h("ul", { class: "rulings" }, rulings.map(ruling)),
  );
}

const modeChip = (mode) => h("span", { class: `chip mode-${mode}` }, t(`mode.${mode}`));
const milliseconds = (number) => t("milliseconds", { number: number < 10 ? number.toFixed(1) : Math.round(number) });

function evidence(one) {
  if (!one.room) return h("p", { class: "small" }, t("evidence.hidden"));
  const place = store.rooms.get(one.room)?.name ?? "";
  return h(
    "button",
    { type: "button", class: "quote", onclick: () => openMessage(one.room, one.id) },
    h("strong", {}, member(one.author).name),
    h("span", { class: "small" }, ` #${place}`),
    h("span", { class: "text" }, one.text ? plain(one.text) : t("deleted")),
  );
}

function ruling(one) {
  const state = one.kept ? (one.receipt?.state ?? "waiting") : "declined";
  const because = one.kept ? one.receipt?.error : one.why;
  return h("li", { class: `ruling ${state}` }, h("strong", {}, t(`ruling.${state}`)), " ", actionWords(one.action), because && h("span", { class: "because" }, because));
}

function silentStep(step) {
  return h(
    "li",
    { class: step.failed ? "failed" : "" },
    h("span", { class: "skill" }, step.skill),
    modeChip(step.mode),
    h("span", { class: "small spring-left" }, milliseconds(step.milliseconds)),
    h("span", { class: "outcome" }, step.outcome),
  );
}
