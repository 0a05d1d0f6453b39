import { chooseLanguage, languages, useLanguage, type Language } from "../app/language";
import { texts } from "../app/texts";

/** Which language the page speaks. */
export function LanguagePicker() {
  const language = useLanguage();
  return (
    <select
      className="quiet language"
      aria-label={texts().language}
      value={language}
      onChange={(event) => chooseLanguage(event.target.value as Language)}
    >
      {Object.entries(languages).map(([code, name]) => (
        <option key={code} value={code} lang={code}>
          {name}
        </option>
      ))}
    </select>
  );
}
