"""``akb serve``: the portal of the book's newest run on one shared state, over HTTP.

Who may come in stands in `akb.live.serving.people`, what may leave in `akb.live.serving.served`,
how statuses are kept and shared in `akb.live.serving.shared`; `akb.live.serving.app` answers
requests, and `akb.live.serving.story` is the command. Only the last two know Starlette and uvicorn
(``akb[serve]``)."""
