import type { PageEntry } from "../app/pages";
import { texts } from "../app/texts";
import { elsewhere } from "../app/url";
import { useWords } from "../app/words";
import { Link } from "../components/Link";

type Props = { title: string; hint: string; pages: PageEntry[] };

/** No page here, or none for this person: the way on to those that there are. */
export function WayOn({ title, hint, pages }: Props) {
  const words = useWords();
  const text = texts();
  return (
    <section className="state" data-testid="way-on">
      <h1>{title}</h1>
      <p>{hint}</p>
      <ul className="links">
        {pages
          .filter((page) => !page.unlisted)
          .map((page) => (
            <li key={page.name}>
              <Link to={elsewhere(page.path)}>{page.title(words, text)}</Link>
            </li>
          ))}
      </ul>
    </section>
  );
}
