/** When the browser has painted anything for the first time. */

/** Call once the page has been painted: at once where it has been, so that nobody who comes from another page waits.
 *
 * Returns: what takes the wish back.
 */
export function oncePainted(then: () => void): () => void {
  if (performance.getEntriesByName('first-contentful-paint').length) {
    then()
    return () => undefined
  }
  const watch = new PerformanceObserver(() => {
    watch.disconnect()
    then()
  })
  watch.observe({ type: 'paint', buffered: true })
  return () => watch.disconnect()
}
