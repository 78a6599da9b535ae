/**
 * Starts the page when what the server has drawn is seen: reading some twenty modules before that would only hold up the
 * first paint.
 */
requestAnimationFrame(() =>
  setTimeout(() => {
    // All at once, not one after the other as each is found in the one before.
    for (const link of document.querySelectorAll<HTMLLinkElement>('link[rel=later]'))
      link.rel = 'modulepreload';
    void import('./live.ts');
  }),
);
