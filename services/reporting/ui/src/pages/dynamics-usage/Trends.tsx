import { texts } from "../../app/texts";
import { CardTrends } from "../../components/CardTrends";
import { Figure, type Card } from "../../gen/insights/reporting/v1/dashboards_pb";

const parts = [
  { figure: Figure.AVAILABLE_SEATS, kind: "bar", colour: 1 },
  { figure: Figure.ASSIGNED_SEATS, kind: "bar", colour: 5 },
  { figure: Figure.ACTIVE_SEATS, kind: "bar", colour: 2 },
  { figure: Figure.ACTIVE_USAGE_PERCENT, kind: "line", percent: true, colour: 4 },
] as const;

/** Seats by month, and how many of them are used. */
export function Trends({ cards, partial }: { cards: Card[]; partial: boolean }) {
  return <CardTrends title={texts().seatsByMonth} cards={cards} parts={[...parts]} partial={partial} />;
}
