"""``akb serve``: the portal on one shared state, and who may come in."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from akb.commands import options

if TYPE_CHECKING:
    from akb.commands.console import Stages
    from akb.live.book import ClientBook
    from akb.live.serving.people import Person


class Roles(StrEnum):
    """What somebody is: an adviser sees his offices, a manager all of them."""

    adviser = "adviser"
    manager = "manager"


def serve(
    *,
    book: Annotated[Path, typer.Option("--book", metavar="DIR", help="The client's book.")],
    host: Annotated[
        str, typer.Option("--host", help="Address to listen on; by default this machine alone.")
    ] = "127.0.0.1",
    port: Annotated[
        int | None, typer.Option("--port", min=0, max=65535, help="Port; 0: any that is free.")
    ] = None,
    tls_in_front: Annotated[
        str,
        typer.Option(
            "--tls-in-front",
            metavar="NAME",
            help="Something in front speaks TLS under this name: tokens never cross a network in "
            "the clear.",
        ),
    ] = "",
    add: Annotated[
        str | None, typer.Option("--add", metavar="NAME", help="Make a token; it is shown once.")
    ] = None,
    role: Annotated[Roles, typer.Option("--role", help="With --add.")] = Roles.adviser,
    office: Annotated[
        list[str] | None,
        typer.Option(
            "--office", metavar="NAME", help="With --add: whose customers; more than one."
        ),
    ] = None,
    relations: Annotated[
        bool, typer.Option("--relations", help="With --add: may see relation numbers.")
    ] = False,
    revoke: Annotated[
        str | None, typer.Option("--revoke", metavar="NAME", help="Take a token back, at once.")
    ] = None,
    list_: Annotated[bool, typer.Option("--list", help="Who has a token, and had.")] = False,
    audit: Annotated[
        bool, typer.Option("--audit", help="The audit log: who, when, what; a line of JSON each.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="With --add or --revoke: write nothing.")
    ] = False,
    quiet: options.Quiet = False,
    json: options.Json = False,
) -> None:
    """Serve the portal of the book's newest run, so that advisers see each other's status.

    It listens on this machine alone; an adviser comes in with a token and sees his office. What is
    recorded is in the book at once, as akb feedback import would bring it in.

    Example: akb serve --book boek --add "A. Bos" --role adviser --office Eindhoven
    """
    from akb.commands.console import Stages
    from akb.core.errors import AkbError
    from akb.live.book import is_book, open_book

    given = [name for name, on in (
        ("--add", add), ("--revoke", revoke), ("--list", list_), ("--audit", audit)
    ) if on]  # fmt: skip
    if len(given) > 1:
        raise AkbError(f"{given[0]} and {given[1]} are two commands", "Give one of them.")
    if add is None and (office or relations):
        raise AkbError("--office and --relations say what somebody may see", "Name him with --add.")
    if not is_book(book):
        raise AkbError(f"{book} is no book", "akb retrain --from makes one.")
    client, stages = open_book(book), Stages(quiet=quiet)
    if add is not None:
        invited = {"role": role.value, "offices": office or [], "relations": relations}
        _add(client, add, invited, stages, dry_run=dry_run, json=json)
    elif revoke is not None:
        _revoke(client, revoke, stages, dry_run=dry_run)
    elif list_:
        _list(client, json=json)
    elif audit:
        _audit(client)
    else:
        _serve(client, host, port, tls_in_front, stages)


def _add(
    book: ClientBook,
    name: str,
    invited: dict[str, Any],
    stages: Stages,
    *,
    dry_run: bool,
    json: bool,
) -> None:
    from akb.commands.streams import write_out
    from akb.core.errors import AkbError
    from akb.live.journal import journal
    from akb.live.serving.people import add_person, invitation
    from akb.live.serving.served import newest_run

    run = newest_run(book)
    invite = invitation(name, known=run.offices, **invited)
    count = len(run.seen(invite.offices))
    if not count:
        raise AkbError(
            f"{invite.name} would see none of the {len(run.customers):,} customers",
            f"Name an office: {', '.join(run.offices)}."
            if run.offices
            else "The run names no office.",
        )
    with journal(book, "serve --add", dry_run=dry_run) as line:
        line |= {"role": invite.role, "customers": count}
        token = None if dry_run else add_person(book, invite)
    document = {
        "schema": "akb.invited/1",
        "name": invite.name,
        "role": invite.role,
        "offices": None if invite.offices is None else list(invite.offices),
        "relations": invite.relations,
        "customers": count,
        "token": token,
    }
    if json:
        options.print_json(document)
        return
    numbers = "with relation numbers" if invite.relations else "under pseudonyms"
    verb = "would see" if dry_run else "sees"
    stages.say(f"{invite.name} ({invite.role}) {verb} {count:,} customers, {numbers}")
    if token is not None:
        stages.say("the token, shown this once; hand it over in person or by another way than mail")
        write_out(token + "\n")


def _revoke(book: ClientBook, name: str, stages: Stages, *, dry_run: bool) -> None:
    from akb.live.journal import journal
    from akb.live.serving.people import people_of, revoke

    if dry_run:
        had = any(each.name == name and each.revoked is None for each in people_of(book))
        stages.say(f"{name} {'would come in no more' if had else 'has no token'}")
        return
    with journal(book, "serve --revoke") as line:
        had = revoke(book, name)
        line["revoked"] = int(had)
    stages.say(f"{name} comes in no more" if had else f"the token of {name} was taken back before")


def _list(book: ClientBook, *, json: bool) -> None:
    from akb.commands.streams import write_out
    from akb.live.serving.people import people_of

    people = people_of(book)
    if json:
        document = {"schema": "akb.people/1", "people": [each.document() for each in people]}
        options.print_json(document)
        return
    lines = [_worded(each) for each in people] or ["nobody has a token; akb serve --add makes one"]
    write_out("\n".join(lines) + "\n")


def _worded(person: Person) -> str:
    offices = "all offices"
    if person.offices is not None:
        offices = ", ".join(name or "customers without an office" for name in person.offices)
    numbers = "relation numbers" if person.relations else "pseudonyms"
    until = f", until {person.revoked}" if person.revoked else ""
    return (
        f"{person.number}  {person.name} ({person.role}; {offices}; {numbers}) "
        f"since {person.added}{until}"
    )


def _audit(book: ClientBook) -> None:
    import json

    from akb.commands.streams import write_out
    from akb.live.serving.tables import audit_rows, prepare

    prepare(book)
    write_out("".join(json.dumps(row) + "\n" for row in audit_rows(book)))


def _serve(book: ClientBook, host: str, port: int | None, public: str, stages: Stages) -> None:
    from akb.core.wording.text import load_toml
    from akb.live.journal import journal
    from akb.live.serving.people import people_of
    from akb.live.serving.story import opened_door, serve

    door = opened_door(
        host, load_toml("live.toml")["serve"]["port"] if port is None else port, public
    )
    people = sum(each.revoked is None for each in people_of(book))
    with journal(book, "serve") as line:
        line["people"] = people

        def ready(address: str) -> None:
            stages.say(f"{address} for {people} people; Ctrl-C ends it")
            if not people:
                stages.say("nobody has a token yet: akb serve --add NAME makes one")

        serve(book, door, ready)
