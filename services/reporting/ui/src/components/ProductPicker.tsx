import { reporting } from "../app/client";
import { useLoad } from "../app/load";
import { texts } from "../app/texts";
import { useView } from "../app/url";
import { useWords } from "../app/words";
import { Dimension } from "../gen/insights/metrics/v1/query_pb";
import { SelectField } from "./Field";

/** Dynamics, or any other product. */
export function ProductPicker({ chosen }: { chosen: string[] }) {
  const { change } = useView();
  const words = useWords();
  const list = useLoad("products", (signal) => reporting.listFilterValues({ dimension: Dimension.PRODUCT }, { signal }));
  const known = list.data?.values.flatMap(({ value }) => value?.value ?? []) ?? [];
  const offered = [...new Set([...known, ...chosen])];
  return (
    <SelectField
      label={words.dimension(Dimension.PRODUCT)}
      value={chosen[0] ?? ""}
      choose={(value) => change((next) => (value ? next.set("show", value) : next.delete("show")))}
    >
      <option value="">{texts().allProducts}</option>
      {offered.map((name) => (
        <option key={name} value={name}>
          {name}
        </option>
      ))}
    </SelectField>
  );
}
