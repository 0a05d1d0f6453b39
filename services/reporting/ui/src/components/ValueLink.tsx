import { texts } from "../app/texts";
import { valueText } from "../app/names";
import { parameterOf, addFilter, elsewhere, NONE } from "../app/url";
import { Dimension, type DimensionValue } from "../gen/insights/metrics/v1/query_pb";
import { Link } from "./Link";

type Props = { dimension: Dimension; value: DimensionValue | undefined; name?: string };

/** The name of a value, which leads on: a customer to its page, any other value to the same page filtered by it. */
export function ValueLink({ dimension, value, name = "" }: Props) {
  const parameter = parameterOf(dimension);
  const text = valueText(parameter, value?.value, name);
  const plain = value?.value ?? NONE;
  if (dimension === Dimension.CUSTOMER && value?.value !== undefined) return <CustomerLink id={value.value} name={text} />;
  return (
    <Link to={elsewhere(window.location.pathname, keepOwn(parameter, plain))} title={texts().filterBy({ value: text })}>
      <bdi>{text}</bdi>
    </Link>
  );
}

/** A customer's name, which leads to its page. */
export function CustomerLink({ id, name }: { id: string; name: string }) {
  return (
    <Link to={elsewhere("/customer", (params) => (params.delete("customer"), params.set("of", id)))} data-customer={id} title={id}>
      <bdi>{name}</bdi>
    </Link>
  );
}

/** The filter, beside what else the page's address says. */
const keepOwn = (parameter: string, value: string) => (params: URLSearchParams) => {
  for (const [name, own] of new URLSearchParams(window.location.search)) {
    if (!params.has(name, own)) params.append(name, own);
  }
  addFilter(parameter, value)(params);
};
