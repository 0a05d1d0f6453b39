import { useId } from "react";

import { texts } from "../../app/texts";
import { SelectField } from "../../components/Field";
import { ReportingService } from "../../gen/insights/reporting/v1/reporting_pb";

export type Wanted = { subject: string; method: string; outcome: string; from: string; to: string };

const OUTCOMES = ["OK", "PERMISSION_DENIED", "INVALID_ARGUMENT", "NOT_FOUND", "RESOURCE_EXHAUSTED", "UNAVAILABLE", "INTERNAL"];

/** What of the audit is wanted. */
export function AuditFilters({ wanted, change }: { wanted: Wanted; change: (wanted: Wanted) => void }) {
  const text = texts();
  return (
    <div className="filter-fields">
      <TextField label={text.who} value={wanted.subject} choose={(subject) => change({ ...wanted, subject })} />
      <SelectField label={text.called} value={wanted.method} choose={(method) => change({ ...wanted, method })}>
        <option value="">{text.anything}</option>
        {ReportingService.methods.map(({ name }) => (
          <option key={name}>{name}</option>
        ))}
      </SelectField>
      <SelectField label={text.outcome} value={wanted.outcome} choose={(outcome) => change({ ...wanted, outcome })}>
        <option value="">{text.anything}</option>
        {OUTCOMES.map((name) => (
          <option key={name}>{name}</option>
        ))}
      </SelectField>
      <TextField type="datetime-local" label={text.notBefore} value={wanted.from} choose={(from) => change({ ...wanted, from })} />
      <TextField type="datetime-local" label={text.before} value={wanted.to} choose={(to) => change({ ...wanted, to })} />
    </div>
  );
}

function TextField({ label, value, choose, type = "text" }: { label: string; value: string; choose: (value: string) => void; type?: string }) {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <input id={id} type={type} value={value} onChange={(event) => choose(event.target.value)} />
    </div>
  );
}
