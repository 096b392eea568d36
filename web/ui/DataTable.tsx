import type { ReactNode } from 'react';

/** A table that scrolls inside itself when the window is narrow (the keyboard too: it takes focus). */
export function DataTable<Row extends { id: string }>(props: {
  label: string;
  columns: readonly { name: string; cell: (row: Row) => ReactNode }[];
  rows: readonly Row[];
}) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard (WCAG 2.1.1)
    <div className="table-scroll" tabIndex={0}>
      <table aria-label={props.label}>
        <thead>
          <tr>
            {props.columns.map((column) => (
              <th key={column.name} scope="col">
                {column.name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {props.rows.map((row) => (
            <tr key={row.id}>
              {props.columns.map((column) => (
                <td key={column.name}>{column.cell(row)}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
