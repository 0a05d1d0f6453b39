import { useEffect, useState } from "react";

import { texts } from "../app/texts";

const KEY = "partner-insights-theme";
type Theme = "light" | "dark";

const preferred = (): Theme => (window.matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");

function stored(): Theme | null {
  const text = window.localStorage.getItem(KEY);
  return text === "light" || text === "dark" ? text : null;
}

/** Light or dark; follows the system until chosen. */
export function ThemeToggle() {
  const [theme, setTheme] = useState<Theme>(stored() ?? preferred());
  useEffect(() => {
    document.documentElement.dataset["theme"] = theme;
    window.dispatchEvent(new Event("themechange"));
  }, [theme]);
  const other: Theme = theme === "dark" ? "light" : "dark";
  return (
    <button
      type="button"
      className="quiet"
      aria-label={other === "dark" ? texts().toDark : texts().toLight}
      onClick={() => {
        window.localStorage.setItem(KEY, other);
        setTheme(other);
      }}
    >
      {theme === "dark" ? "☀" : "☾"}
    </button>
  );
}
