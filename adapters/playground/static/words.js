// The page's own sentences, in English and in Chinese.
import { store } from "./store.js";

let words = { en: {}, zh_CN: {} };

/** Read the dictionary; once, before anything is drawn. */
export async function loadWords() {
  words = await (await fetch("/static/words.json")).json();
}

export const language = () => store.language;
export const locale = () => (store.language === "zh_CN" ? "zh-CN" : "en-GB");
export const knows = (key) => key in words.en;

/** Say something in the reader's language, with `{name}` filled in. */
export function t(key, details = {}) {
  const sentence = words[store.language][key] ?? words.en[key] ?? key;
  return sentence.replace(/\{(\w+)\}/g, (whole, name) => (name in details ? String(details[name]) : whole));
}

const formats = new Map();

/** Return a format of dates; making one is slow, so each is made once. */
function format(options) {
  const key = locale() + JSON.stringify(options);
  if (!formats.has(key)) formats.set(key, new Intl.DateTimeFormat(locale(), options));
  return formats.get(key);
}

export const clockTime = (at) => format({ hour: "2-digit", minute: "2-digit" }).format(new Date(at));

export const longTime = (at) => format({ dateStyle: "medium", timeStyle: "short" }).format(new Date(at));

/** Name a day as people do: today, yesterday, else its date. */
export function dayName(at) {
  const day = new Date(at), now = new Date();
  const apart = Math.round((new Date(now).setHours(0, 0, 0, 0) - new Date(day).setHours(0, 0, 0, 0)) / 86400000);
  if (apart === 0 || apart === 1) {
    return new Intl.RelativeTimeFormat(locale(), { numeric: "auto" }).format(-apart, "day");
  }
  const year = day.getFullYear() === now.getFullYear() ? {} : { year: "numeric" };
  return format({ weekday: "long", day: "numeric", month: "long", ...year }).format(day);
}
