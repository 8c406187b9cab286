// The stream of what changes, opened and closed; `told` hears how it stands.

export function source(take, told) {
  let stream = null;
  const self = {
    open() {
      if (stream) return;
      stream = new EventSource("/api/events");
      stream.onopen = () => told("connected");
      stream.onmessage = (event) => take(JSON.parse(event.data));
      stream.onerror = () => {
        told("not connected; trying again");
        if (stream?.readyState !== EventSource.CLOSED) return; // it tries again by itself
        stream = null; // refused: too many, or no key
        setTimeout(() => told("again"), 3000);
      };
    },
    close() {
      stream?.close();
      stream = null;
    },
  };
  return self;
}
