import { reporting } from "../app/client";
import { count } from "../app/format";
import { usePaged } from "../app/paged";
import { texts } from "../app/texts";
import { figuresKey, pageFilters, useView } from "../app/url";
import { useWords } from "../app/words";
import { Dimension, type Filter } from "../gen/insights/metrics/v1/query_pb";
import { AdviceCode, AdviceCodeSchema } from "../gen/insights/reporting/v1/advice_pb";
import { AdviceItem } from "./AdviceItem";
import { More } from "./More";
import { Empty, Failure } from "./States";

type Props = { filters?: Filter[]; pageSize: number; named?: boolean };

/** Advice, most important first; of all rules or of one. */
export function AdviceList({ filters = [], pageSize, named = true }: Props) {
  const { params, change } = useView();
  const { title } = useWords();
  const text = texts();
  const rule = AdviceCodeSchema.values.find((value) => value.name === params.get("rule"))?.number;
  const codes: AdviceCode[] = rule && named ? [rule] : [];
  const key = JSON.stringify([figuresKey(params), codes, filters.flatMap((filter) => filter.values.map((value) => value.value)), pageSize]);
  const list = usePaged(key, async (pageToken, signal) => {
    const page = pageFilters(params, [Dimension.SERVICE]);
    page.filters = [...page.filters.filter((filter) => !filters.some((own) => own.dimension === filter.dimension)), ...filters];
    const answer = await reporting.listAdvice({ page, codes, pageSize, pageToken }, signal ? { signal } : {});
    return { answer, rows: answer.advice, next: answer.nextPageToken };
  });
  if (list.error && list.rows.length === 0) return <Failure error={list.error} again={list.again} />;
  if (!list.answer) return <Empty>{text.loadingNow}</Empty>;
  const choose = (code: AdviceCode) =>
    change((next) => (codes.includes(code) ? next.delete("rule") : next.set("rule", AdviceCodeSchema.value[code]?.name ?? "")));
  return (
    <div aria-busy={list.loading} data-testid="advice">
      {named && (
        <ul className="rules" aria-label={text.adviceByRule}>
          {list.answer.counts.map((entry) => (
            <li key={entry.code}>
              <button type="button" aria-pressed={codes.includes(entry.code)} onClick={() => choose(entry.code)}>
                {title(AdviceCodeSchema, entry.code)} <strong>{count(entry.count)}</strong>
              </button>
            </li>
          ))}
        </ul>
      )}
      {list.answer.incomplete && <p className="hint">{text.adviceIncomplete}</p>}
      {list.rows.length === 0 ? (
        <Empty>{text.noAdvice}</Empty>
      ) : (
        <ol className="advices">
          {list.rows.map((advice) => (
            <li key={`${advice.code}/${advice.customer?.value?.value}/${advice.subscriptionId}/${advice.sku?.value?.value}`}>
              <AdviceItem advice={advice} named={named} />
            </li>
          ))}
        </ol>
      )}
      <More more={list.more} busy={list.loading} />
    </div>
  );
}
