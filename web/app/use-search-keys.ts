import { useNavigate } from '@tanstack/react-router';
import { useEffect } from 'react';

const isTyping = (target: EventTarget | null) =>
  target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));

/** `/` (outside of fields) and Ctrl-K or ⌘-K lead to the search box from everywhere. */
export function useSearchKeys(): void {
  const navigate = useNavigate();
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      const slash = event.key === '/' && !event.ctrlKey && !event.metaKey && !event.altKey && !isTyping(event.target);
      const control = event.key.toLowerCase() === 'k' && (event.ctrlKey || event.metaKey) && !event.altKey;
      if (!slash && !control) return;
      if (document.querySelector('[role=dialog]') !== null) return;
      event.preventDefault();
      const box = document.querySelector<HTMLInputElement>('input[name=q]');
      if (box === null) void navigate({ to: '/', search: {} });
      else {
        box.focus();
        box.select();
      }
    };
    document.addEventListener('keydown', onKeyDown);
    return () => document.removeEventListener('keydown', onKeyDown);
  }, [navigate]);
}
