/** The filter has names before a colon that mean nothing. */
export default function Unknown({ names }: { names: readonly string[] }) {
  return (
    <p class="notice">
      Nothing is called {names.map((name) => `“${name}:”`).join(', ')} here: there are status, env, system, deployment, version and reason.
    </p>
  )
}
