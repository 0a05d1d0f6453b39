// A value that follows another once it has rested, so that a search is not asked for at each keystroke.
import { useEffect, useState } from "react";

const REST = 200;

export function useDebounced<T>(value: T): T {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = window.setTimeout(() => setSettled(value), REST);
    return () => window.clearTimeout(timer);
  }, [value]);
  return settled;
}
