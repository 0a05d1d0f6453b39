import { useEffect, useRef, useState } from "react";

import { texts } from "../app/texts";

export type Place = { code: string; name: string; size: number; text: string };

type World = { width: number; height: number; shapes: Record<string, string> };

type Props = {
  label: string;
  places: Place[];
  /** The country that the map is zoomed to. */
  chosen: string | undefined;
  choose: (code: string | undefined) => void;
};

/** Shades, from few to many. */
const SHADES = 5;

/** The world with countries shaded by a figure; hovering tells figures, choosing zooms, Home goes back. */
export function WorldMap({ label, places, chosen, choose }: Props) {
  const [world, setWorld] = useState<World>();
  const [hovered, setHovered] = useState<Place>();
  const drawing = useRef<SVGSVGElement>(null);
  const text = texts();
  useEffect(() => {
    let gone = false;
    void import("../gen/world.json").then((loaded) => gone || setWorld(loaded.default as World));
    return () => {
      gone = true;
    };
  }, []);
  useEffect(() => {
    if (world) drawing.current?.setAttribute("viewBox", frame(drawing.current, world, chosen));
  }, [world, chosen]);
  if (!world) return <div className="map" aria-busy="true" />;
  const largest = Math.max(1, ...places.map((place) => place.size));
  const known = new Map(places.map((place) => [place.code, place]));
  const told = hovered ?? (chosen ? known.get(chosen) : undefined);
  return (
    <div className="map">
      <svg ref={drawing} viewBox={`0 0 ${world.width} ${world.height}`} role="group" aria-label={label}>
        {Object.entries(world.shapes).map(([code, shape]) => {
          const place = known.get(code);
          if (!place) return <path key={code} d={shape} className="land" />;
          const shade = place.size === 0 ? 0 : Math.min(SHADES, Math.ceil(SHADES * Math.sqrt(place.size / largest)));
          return (
            <path
              key={code}
              d={shape}
              data-country={code}
              className={`land shade-${shade}${code === chosen ? " chosen" : ""}`}
              role="button"
              tabIndex={0}
              aria-label={text.namedFigure({ name: place.name, figure: place.text })}
              onClick={() => choose(code)}
              onKeyDown={(event) => (event.key === "Enter" || event.key === " ") && (event.preventDefault(), choose(code))}
              onPointerEnter={() => setHovered(place)}
              onPointerLeave={() => setHovered(undefined)}
              onFocus={() => setHovered(place)}
              onBlur={() => setHovered(undefined)}
            />
          );
        })}
      </svg>
      <div className="map-foot">
        <p className="map-told" data-testid="map-told">
          {told ? (
            <>
              <strong>{told.name}</strong> {told.text}
            </>
          ) : (
            text.mapHint
          )}
        </p>
        <button type="button" onClick={() => choose(undefined)} disabled={chosen === undefined}>
          {text.mapHome}
        </button>
      </div>
    </div>
  );
}

/** The part of the world that shows a country with its surroundings. */
function frame(drawing: SVGSVGElement, world: World, chosen: string | undefined): string {
  const shape = chosen ? drawing.querySelector<SVGPathElement>(`[data-country="${CSS.escape(chosen)}"]`) : null;
  if (!shape) return `0 0 ${world.width} ${world.height}`;
  const box = shape.getBBox();
  const width = Math.max(box.width * 2, (box.height * 2 * world.width) / world.height, 60);
  const height = (width * world.height) / world.width;
  return `${box.x + box.width / 2 - width / 2} ${box.y + box.height / 2 - height / 2} ${width} ${height}`;
}
