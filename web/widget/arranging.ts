// Where posts stand, as plain numbers. A layout's height follows from its width and how many posts are wanted, and from
// nothing else: so it is known before anything is loaded.

export const LAYOUTS = ["grid", "masonry", "slider", "list"] as const;
export type Layout = (typeof LAYOUTS)[number];

const NARROW = 480; // pixels of the widget, not of the window
const ACROSS = 3; // at most, there; as many as stand in a row where nobody says how many, so that one shape fits all widths
const TALL = 1.25; // of a masonry's pictures on average: Instagram's own 4:5
const LEAST = 0.6;
const MOST = 1.6;

export interface Plan {
  readonly layout: Layout;
  readonly columns: number;
  readonly rows: number; // of the space that is kept
}

export function plan(layout: Layout, columns: number, posts: number, width: number): Plan {
  const across = layout === "list" ? 1 : Math.min(columns, width < NARROW ? ACROSS : columns);
  return { layout, columns: across, rows: layout === "slider" ? Math.min(1, posts) : Math.ceil(posts / across) };
}

// Width to height of the space for so many rows, as CSS says it; a list measures its rows in letters.
export function shape(one: Plan, rows = one.rows): string {
  if (one.layout === "list" || rows === 0) return "auto";
  return `${one.columns} / ${one.layout === "masonry" ? rows * TALL : rows}`;
}

export interface Place {
  readonly column: number;
  readonly before: number; // tiles above it in its column
  readonly of: number; // tiles of its column
  readonly top: number; // of the column's height, from 0 to 1
  readonly part: number;
}

// Each post goes to the column that is shortest yet; then every column is stretched or squeezed to one height, so that
// all end together and the height does not depend on the pictures.
export function masonry(heights: readonly number[], columns: number): readonly Place[] {
  const stacks = Array.from({ length: columns }, () => ({ height: 0, tiles: 0 }));
  const put = heights.map((height) => {
    const tall = Math.min(MOST, Math.max(LEAST, height));
    const shortest = Math.min(...stacks.map((stack) => stack.height));
    const column = stacks.findIndex((stack) => stack.height === shortest);
    const stack = stacks[column] as (typeof stacks)[number];
    const place = { column, before: stack.tiles, start: stack.height, tall };
    stack.height += tall;
    stack.tiles += 1;
    return place;
  });
  return put.map(({ column, before, start, tall }) => {
    const stack = stacks[column] as (typeof stacks)[number];
    return { column, before, of: stack.tiles, top: start / stack.height, part: tall / stack.height };
  });
}
