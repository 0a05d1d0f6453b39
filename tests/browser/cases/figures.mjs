// Figures as a person would write them, independent of the page's own code.
const grouped = (whole, separator) => whole.replace(/\B(?=(\d{3})+$)/g, separator);
const marks = { en: [",", "."], pt: [".", ","] };

/** A count in a language. */
export const count = (value, language = "en") => grouped(String(value), marks[language][0]);

/** A percentage with two digits. */
export function percent(value, language = "en") {
  if (value === undefined) return "–";
  const [whole, part] = value.toFixed(2).split(".");
  return `${grouped(whole, marks[language][0])}${marks[language][1]}${part} %`;
}

/** A figure of any kind. */
export function written(value, language = "en") {
  switch (value?.kind.case) {
    case "count":
      return count(value.kind.value, language);
    case "percentage":
      return percent(value.kind.value.value, language);
    default:
      return "–";
  }
}

/** The number in a text of the page. */
export const number = (text) => Number(text.replaceAll(",", "").replace("−", "-").match(/-?[\d.]+/)?.[0] ?? NaN);
