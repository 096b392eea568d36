import { type ReactNode, useEffect, useRef } from 'react';
import { en as t } from '../texts/en.ts';

/**
 * A page: its title in the window, its heading focused when it appears, so that the keyboard starts there and a screen
 * reader says where the operator is.
 */
export function Page(props: {
  title: string;
  /** what sort of thing the page shows, above the heading */
  eyebrow?: string;
  aside?: ReactNode;
  children: ReactNode;
  focusHeading?: boolean;
}) {
  const heading = useRef<HTMLHeadingElement>(null);
  const focus = props.focusHeading ?? true;
  useEffect(() => {
    document.title = `${props.title} · ${t.brand}`;
    if (focus) heading.current?.focus({ preventScroll: true });
  }, [props.title, focus]);
  return (
    <div className="page">
      <header className="page-header">
        <div>
          {props.eyebrow ? <p className="eyebrow">{props.eyebrow}</p> : null}
          <h1 ref={heading} tabIndex={-1}>
            {props.title}
          </h1>
        </div>
        {props.aside}
      </header>
      {props.children}
    </div>
  );
}

/** A part of a page under its own heading. */
export function Section(props: { title: string; children: ReactNode; aside?: ReactNode; id?: string }) {
  return (
    <section className="section" aria-label={props.title} {...(props.id ? { id: props.id } : {})}>
      <div className="section-header">
        <h2>{props.title}</h2>
        {props.aside}
      </div>
      {props.children}
    </section>
  );
}
