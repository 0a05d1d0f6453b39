import { useEffect, useState, type ReactNode } from "react";

import { today } from "../app/format";
import { useMe } from "../app/me";
import type { PageEntry } from "../app/pages";
import { texts } from "../app/texts";
import { useWords } from "../app/words";
import { RoleSchema } from "../gen/insights/access/v1/options_pb";
import { ReportingService } from "../gen/insights/reporting/v1/reporting_pb";
import { CustomerPicker } from "./CustomerPicker";
import { ExportToasts } from "./ExportToasts";
import { LanguagePicker } from "./LanguagePicker";
import { Navigation } from "./Navigation";
import { SessionEnd } from "./SessionEnd";
import { ThemeToggle } from "./ThemeToggle";

type Props = { pages: PageEntry[]; page: PageEntry | undefined; renewed: boolean; signOut: () => void; children: ReactNode };

/** What stands around every page. */
export function Shell({ pages, page, renewed, signOut, children }: Props) {
  const { me, may } = useMe();
  const words = useWords();
  const text = texts();
  const [menu, setMenu] = useState(false);
  const name = page ? page.title(words, text) : text.unknownPage;
  useEffect(() => {
    document.title = `${name} · Partner Insights`;
  }, [name]);
  const roles = me?.roles.map((role) => words.title(RoleSchema, role)).join(", ");
  return (
    <div className="shell">
      <a className="skip" href="#content">
        {text.skip}
      </a>
      <header className={menu ? "side open" : "side"}>
        <div className="brand">
          <img src="/icon.svg" alt="" width="28" height="28" />
          <span>Partner Insights</span>
          <button type="button" className="menu quiet" aria-expanded={menu} onClick={() => setMenu(!menu)}>
            {text.menu}
          </button>
        </div>
        <div className="side-body">
          {pages.some((entry) => entry.name === "licence-adoption" || entry.name === "subscriptions") &&
            may(ReportingService.method.listFilterValues) && <CustomerPicker />}
          <Navigation pages={pages.filter((entry) => !entry.unlisted)} current={page?.name} chosen={() => setMenu(false)} />
          <div className="preferences">
            <LanguagePicker />
            <ThemeToggle />
          </div>
        </div>
        <div className="who" data-testid="who">
          <strong>
            <bdi>{me?.partner}</bdi>
          </strong>
          <small>{roles || text.noRole}</small>
          {me && me.locations.length > 0 && <small>{text.locations({ ids: me.locations.join(", ") })}</small>}
          <button type="button" className="quiet" onClick={signOut}>
            {text.signOut}
          </button>
        </div>
      </header>
      <main id="content" tabIndex={-1}>
        <p className="print-only">
          Partner Insights · <bdi>{me?.partner}</bdi> · {today()}
        </p>
        <SessionEnd renewed={renewed} />
        {children}
      </main>
      <ExportToasts />
    </div>
  );
}
