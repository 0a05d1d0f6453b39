import { useMe } from "../app/me";
import { count } from "../app/format";
import { useHealth } from "../app/health";
import type { PageEntry, PageName } from "../app/pages";
import { texts } from "../app/texts";
import { elsewhere } from "../app/url";
import { useWords } from "../app/words";
import { IngestionService } from "../gen/insights/ingestion/v1/ingestion_pb";
import { Link } from "./Link";

type Props = { pages: PageEntry[]; current: PageName | undefined; chosen: () => void };

/** The pages that a person may see; range and filters go along. */
export function Navigation({ pages, current, chosen }: Props) {
  const words = useWords();
  const text = texts();
  const { may } = useMe();
  const health = useHealth(may(IngestionService.method.getFreshness));
  const waiting = Number(health?.rejected ?? 0n) + Number(health?.waiting ?? 0n);
  return (
    <nav aria-label={text.pages}>
      <ul>
        {pages.map((page) => (
          <li key={page.name}>
            <Link to={elsewhere(page.path)} aria-current={page.name === current ? "page" : undefined} onClick={chosen}>
              {page.title(words, text)}
              {page.name === "data-health" && waiting > 0 && (
                <span className="badge warn" data-testid="health-badge" aria-label={text.recordsAside({ count: waiting })}>
                  {count(waiting)}
                </span>
              )}
            </Link>
          </li>
        ))}
      </ul>
    </nav>
  );
}
