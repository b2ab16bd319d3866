/** The shapes of the six statuses, and of nothing there.
 *
 * They are in the code rather than in the sprite: what a page is about must not wait for a second request.
 */
export const GLYPHS = {
  healthy: 'M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1Zm3.3 5.4-4 4a.8.8 0 0 1-1.1 0L4.6 8.8a.8.8 0 1 1 1.1-1.1l1 1 3.5-3.5a.8.8 0 0 1 1.1 1.2Z',
  progressing: 'M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1Zm0 1.7a5.3 5.3 0 0 0 0 10.6V2.7Z',
  pending: 'M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1Zm0 1.7a5.3 5.3 0 1 1 0 10.6A5.3 5.3 0 0 1 8 2.7ZM7.2 4.6v3.8l2.6 1.5.8-1.3-1.8-1v-3H7.2Z',
  blocked: 'M8.9 1.6a1 1 0 0 0-1.8 0L.9 13a1 1 0 0 0 .9 1.5h12.4a1 1 0 0 0 .9-1.5L8.9 1.6ZM7.2 5.8h1.6v4H7.2v-4Zm0 5h1.6v1.6H7.2v-1.6Z',
  failed: 'M8 .6 15.4 8 8 15.4.6 8 8 .6Zm2.3 4L8 6.9 5.7 4.6 4.6 5.7 6.9 8l-2.3 2.3 1.1 1.1L8 9.1l2.3 2.3 1.1-1.1L9.1 8l2.3-2.3-1.1-1.1Z',
  paused: 'M3 1h10a2 2 0 0 1 2 2v10a2 2 0 0 1-2 2H3a2 2 0 0 1-2-2V3a2 2 0 0 1 2-2Zm2.2 3.5v7H7v-7H5.2Zm3.8 0v7h1.8v-7H9Z',
  empty: 'M4 7.2h8v1.6H4z',
} as const
