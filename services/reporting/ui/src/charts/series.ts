/** One series over the months of a chart. */
export type Series = {
  id: string;
  name: string;
  values: (number | null)[];
  kind: "bar" | "line";
  /** Series of one stack stand on each other. */
  stack?: string;
  /** Drawn below zero, on a scale of its own. */
  below?: boolean;
  /** On the right axis, in percent. */
  percent?: boolean;
  /** Shown only when chosen in the legend. */
  hidden?: boolean;
  /** Of a period to compare with. */
  dashed?: boolean;
  /** Which of the palette's colours. */
  colour: number;
};

/** How many colours the palette has. */
export const COLOURS = 8;
