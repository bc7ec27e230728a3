"""A real CRM on loopback for the long tests: Tryton in an environment and a process of its own, on SQLite."""

import base64
import http.client
import itertools
import json
import os
import socket
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Any

from benchmarks.peers import environment

REQUIREMENTS = Path(__file__).parent.parent.parent / "requirements-tryton.txt"
USER, PASSWORD = "admin", "right-secret-1"
DATABASE = "crm"
MODULES = ("sale_opportunity", "sale")
_CONFIG = """[database]
uri = sqlite:///{folder}/
path = {folder}
[web]
listen = 127.0.0.1:{port}
[session]
authentications = password
"""


def decimal(text: str) -> dict[str, str]:
    """An amount in Tryton's JSON."""
    return {"__class__": "Decimal", "decimal": text}


class TrytonServer:
    """Installed, with a database, a company and an employee, and started; ends with the block."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        lines = REQUIREMENTS.read_text(encoding="utf-8").splitlines()
        python = environment(folder / "environment", [line for line in lines if line and not line.startswith("#")])
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = int(free.getsockname()[1])
        (folder / "trytond.conf").write_text(_CONFIG.format(folder=folder, port=self.port), encoding="utf-8")
        (folder / "password").write_text(PASSWORD, encoding="utf-8")
        (folder / f"{DATABASE}.sqlite").touch()
        common = ["-c", str(folder / "trytond.conf"), "-d", DATABASE]
        admin = [str(python.parent / "trytond-admin"), *common]
        environ = {**os.environ, "TRYTONPASSFILE": str(folder / "password")}
        for more in (["--all", "--email", "a@example.com"], ["-u", *MODULES, "--activate-dependencies"]):
            subprocess.run([*admin, *more], check=True, env=environ, capture_output=True, timeout=900)
        log = (folder / "server.log").open("wb")
        self._process = subprocess.Popen([str(python.parent / "trytond"), *common], stdout=log, stderr=log)
        log.close()
        self._numbers = itertools.count(1)
        self._session = ""
        self.context: dict[str, Any] = {}
        self._log_in()
        self._found_company()

    @property
    def url(self) -> str:
        """What crm.yaml names."""
        return f"http://127.0.0.1:{self.port}/{DATABASE}"

    def call(self, method: str, *parameters: Any) -> Any:
        """What a person at the screen does, by the same interface."""
        wire = http.client.HTTPConnection("127.0.0.1", self.port, timeout=300)
        body = json.dumps({"id": next(self._numbers), "method": method, "params": parameters})
        headers = {"Content-Type": "application/json"}
        if self._session:
            headers["Authorization"] = f"Session {self._session}"
        wire.request("POST", f"/{DATABASE}/rpc/", body, headers)
        told = json.loads(wire.getresponse().read())
        wire.close()
        if told.get("error"):
            raise AssertionError(f"{method}: {told['error']}")
        return told["result"]

    def make(self, model: str, **values: Any) -> int:
        """A new record; gives its id."""
        return int(self.call(f"model.{model}.create", [values], self.context)[0])

    def change(self, model: str, record_id: int, **values: Any) -> None:
        """Fields of a record, as somebody types them."""
        self.call(f"model.{model}.write", [record_id], values, self.context)

    def press(self, model: str, button: str, record_id: int) -> Any:
        """A button of a record."""
        return self.call(f"model.{model}.{button}", [record_id], self.context)

    def find(self, model: str, domain: list[Any], *fields: str) -> list[dict[str, Any]]:
        """The records that a domain picks."""
        order = [["id", "ASC"]]
        return list(self.call(f"model.{model}.search_read", domain, 0, 1000, order, list(fields), self.context))

    def win(self, opportunity: int, customer: str, amount: str) -> int:
        """What sales does until a deal is won: customer, opportunity, an order of that amount; gives the order."""
        address = [["create", [{"city": "深圳"}]]]
        party = self.make("party.party", name=customer, addresses=address)
        self.change("sale.opportunity", opportunity, party=party, employee=self.context["employee"])
        self.press("sale.opportunity", "opportunity", opportunity)
        (sale,) = self.press("sale.opportunity", "convert", opportunity)["res_id"]
        line = {"description": "equipment", "quantity": 1.0, "unit_price": decimal(amount)}
        self.change("sale.sale", sale, lines=[["create", [line]]])
        self.press("sale.sale", "quote", sale)
        self.press("sale.sale", "confirm", sale)
        return int(sale)

    def amend(self, sale: int, amount: str) -> None:
        """Sales and customer agree on another price: the order is drawn back, changed, and confirmed anew."""
        self.press("sale.sale", "draft", sale)
        (line,) = self.find("sale.line", [["sale", "=", sale]], "id")
        self.change("sale.line", line["id"], unit_price=decimal(amount))
        self.press("sale.sale", "quote", sale)
        self.press("sale.sale", "confirm", sale)

    def _log_in(self) -> None:
        for _ in range(300):
            try:
                user, session, _bus = self.call("common.db.login", USER, {"password": PASSWORD}, "en")
                self._session = base64.b64encode(f"{USER}:{user}:{session}".encode()).decode()
                return
            except (OSError, ValueError):
                time.sleep(0.2)
        raise AssertionError("Tryton did not start")

    def _found_company(self) -> None:
        rate = [["create", [{"rate": decimal("1")}]]]
        currency = self.make("currency.currency", name="Renminbi", symbol="¥", code="CNY", rates=rate)
        company = self.make("company.company", party=self.make("party.party", name="我们公司"), currency=currency)
        self.context = {"company": company}
        employee = self.make("company.employee", party=self.make("party.party", name="张三"), company=company)
        (user,) = self.find("res.user", [["login", "=", USER]], "id")
        belongs = {"companies": [["add", [company]]], "employees": [["add", [employee]]]}
        self.change("res.user", user["id"], company=company, employee=employee, **belongs)
        self.context["employee"] = employee

    def __enter__(self) -> "TrytonServer":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        self._process.wait(30)
