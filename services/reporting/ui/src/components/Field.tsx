import { useId, type ReactNode } from "react";

type Props = { label: string; value: string; choose: (value: string) => void; children: ReactNode };

/** A choice under its label. */
export function SelectField({ label, value, choose, children }: Props) {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <select id={id} value={value} onChange={(event) => choose(event.target.value)}>
        {children}
      </select>
    </div>
  );
}
