"""The public rubric "Asset Conformance 0.2, Spec 2.4", line by line, over our own files.

Restated from its description in c2pa-org/conformance-public; the names are the rubric's ids.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from provenance.manifest import crjson, sign
from provenance.signing import Authority
from tests.provenance.builders import NOW, credentials_of, facts_by_rule, facts_of_a_model

Manifest = dict[str, Any]
INCEPTION = {"c2pa.created", "c2pa.opened"}
EXEMPT = {
    "c2pa.converted", "c2pa.published", "c2pa.repackaged", "c2pa.transcoded",
    "c2pa.resized.proportional", "c2pa.enhanced", "c2pa.edited.metadata", "c2pa.watermarked",
    "c2pa.watermarked.bound", "c2pa.watermarked.unbound", "c2pa.redacted", "c2pa.placed",
}  # fmt: skip
ASSERTIONS = {
    "c2pa.hash.bmff.v3", "c2pa.actions.v2", "c2pa.ingredient.v3", "c2pa.ai-disclosure",
    "c2pa.metadata", "c2pa.soft-binding", "c2pa.thumbnail.claim", "c2pa.thumbnail.ingredient",
    "c2pa.time-stamp", "c2pa.hash.data", "c2pa.repository-receipt",
}  # fmt: skip
DEPRECATED_ASSERTIONS = {
    "c2pa.claim", "c2pa.hash.bmff.v2", "c2pa.asset-type", "c2pa.ingredient", "c2pa.ingredient.v2",
    "c2pa.actions",
}  # fmt: skip
ACTIONS = {"c2pa.created", "c2pa.opened", "c2pa.addedText", "c2pa.edited", "c2pa.placed"} | EXEMPT
DEPRECATED_ACTIONS = {
    "c2pa.copied", "c2pa.formatted", "c2pa.version_updated", "c2pa.printed", "c2pa.managed",
    "c2pa.produced", "c2pa.saved", "c2pa.color_adjustments", "c2pa.watermarked",
}  # fmt: skip
PARAMETERS = {"redacted", "ingredients", "relatedAssertions", "ranges", "multipleInstances"}
FORBIDDEN_REFERENCES = ("c2pa.hash", "c2pa.ingredient", "c2pa.actions", "c2pa.cloud-data")


def actions(manifest: Manifest) -> list[dict[str, Any]]:
    return [a for one in values(manifest) for a in one.get("actions", [])]


def values(manifest: Manifest) -> list[dict[str, Any]]:
    return list(manifest["assertions"].values())


def labels(manifest: Manifest) -> list[str]:
    return [label.split("__")[0] for label in manifest["assertions"]]


def ingredients(manifest: Manifest) -> list[dict[str, Any]]:
    return [one for one in values(manifest) if "relationship" in one]


def failures(manifest: Manifest) -> list[str]:
    return [one["code"] for one in manifest["validationResults"]["failure"]]


def generator(manifest: Manifest) -> dict[str, Any]:
    found: dict[str, Any] = manifest["claim.v2"]["claim_generator_info"]
    return found


def first_created(manifest: Manifest) -> str:
    urls = [one["url"] for one in manifest["claim.v2"]["created_assertions"]]
    return next(str(url) for url in urls if "c2pa.actions" in url)


RUBRIC: dict[str, Callable[[Manifest], bool]] = {
    "mandatory_dst_for_perceptible_transformations": lambda m: all(
        "digitalSourceType" in a
        for a in actions(m)
        if a["action"].startswith("c2pa.") and a["action"] not in INCEPTION | EXEMPT
    ),
    "mandatory_spec_version": lambda m: generator(m)["specVersion"] == "2.4",
    "mandatory_all_actions_included": lambda m: all(
        isinstance(one.get("allActionsIncluded"), bool) for one in values(m) if "actions" in one
    ),
    "no_dst_for_opened_action": lambda m: (
        not any(a["action"] == "c2pa.opened" and "digitalSourceType" in a for a in actions(m))
    ),
    "well_formed_data_present": lambda m: bool(m["validationResults"]["success"]),
    "well_formed_success": lambda m: (
        not any(
            "malformed" in code or "missing" in code or "invalid" in code for code in failures(m)
        )
    ),
    "valid_data_present": lambda m: isinstance(m["validationResults"]["failure"], list),
    "valid_success": lambda m: not any("ismatch" in code for code in failures(m)),
    "inception_action_position": lambda m: (
        first_created(m).endswith("c2pa.actions.v2") and actions(m)[0]["action"] in INCEPTION
    ),
    "no_deprecated_assertions": lambda m: (
        not (
            set(labels(m)) & DEPRECATED_ASSERTIONS or any(x.startswith("stds.") for x in labels(m))
        )
    ),
    "no_unsupported_assertions": lambda m: (
        {x for x in labels(m) if x.startswith("c2pa.")} <= ASSERTIONS
    ),
    "no_deprecated_actions": lambda m: not {a["action"] for a in actions(m)} & DEPRECATED_ACTIONS,
    "no_unsupported_actions": lambda m: {a["action"] for a in actions(m)} <= ACTIONS,
    "no_unrecognized_custom_assertions": lambda m: all("." in label for label in labels(m)),
    "no_unrecognized_custom_actions": lambda m: all("." in a["action"] for a in actions(m)),
    "no_unrecognized_custom_action_parameters": lambda m: all(
        key in PARAMETERS or "." in key for a in actions(m) for key in a.get("parameters", {})
    ),
    "discouraged_legacy_action_parameters": lambda m: (
        not any({"description", "ingredient"} & set(a.get("parameters", {})) for a in actions(m))
    ),
    "active_manifest_urn": lambda m: m["label"].startswith("urn:c2pa:"),
    "review_ratings_datasource": lambda m: not any("reviewRatings" in one for one in values(m)),
    "ingredient_v3_no_active_manifest": lambda m: (
        not any(
            "activeManifest" not in one and "validationResults" in one for one in ingredients(m)
        )
    ),
    "ingredient_v3_mandatory_validation_results": lambda m: (
        not any(
            "activeManifest" in one and "validationResults" not in one for one in ingredients(m)
        )
    ),
    "ingredient_relationship_values": lambda m: (
        {one["relationship"] for one in ingredients(m)} <= {"parentOf", "inputTo", "componentOf"}
    ),
    "mandatory_dst_for_created_action": lambda m: all(
        a["digitalSourceType"].startswith("http://cv.iptc.org/")
        for a in actions(m)
        if a["action"] == "c2pa.created"
    ),
    "no_deprecated_claim_fields": lambda m: "specVersion" not in m["claim.v2"],
    "ingredient_v3_choice": lambda m: (
        not any("activeManifest" in one and "digitalSourceType" in one for one in ingredients(m))
    ),
    "alternative_content_representation_choice": lambda m: (
        not any(one.get("type") == "exif.originalPreservationImage" for one in values(m))
    ),
    "forbidden_labels_in_external_references": lambda m: (
        not any(
            "url" in one and str(one.get("label")).startswith(FORBIDDEN_REFERENCES)
            for one in values(m)
        )
    ),
    "no_url_in_hashes": lambda m: "url" not in m["assertions"]["c2pa.hash.bmff.v3"],
    "all_actions_included_opened": lambda m: (
        len(actions(m)) != 1 or actions(m)[0]["action"] != "c2pa.opened"
    ),
    "opened_action_ingredient_reference": lambda m: all(
        len(a.get("parameters", {}).get("ingredients", [])) == 1
        for a in actions(m)
        if a["action"] == "c2pa.opened"
    ),
    "no_box_hash_for_tiff": lambda m: "c2pa.hash.boxes" not in labels(m),
}


@pytest.fixture(scope="module", params=["a trained model", "by rule"])
def manifest(
    request: pytest.FixtureRequest, film: Path, authority: Authority,
    tmp_path_factory: pytest.TempPathFactory,
) -> Manifest:  # fmt: skip
    facts = facts_by_rule() if request.param == "by rule" else facts_of_a_model()
    path = tmp_path_factory.mktemp("rubric") / "film.mp4"
    sign(film, path, facts, credentials_of(authority), now=NOW)
    found: Manifest = json.loads(crjson(path, authority.root_pem))["manifests"][0]
    return found


@pytest.mark.parametrize("line", RUBRIC)
def test_our_manifests_pass_the_public_rubric(line: str, manifest: Manifest) -> None:
    assert RUBRIC[line](manifest)


def test_there_is_a_test_for_each_of_the_31_lines() -> None:
    assert len(RUBRIC) == 31


def test_everything_we_say_is_vouched_for_and_nothing_only_gathered(manifest: Manifest) -> None:
    assert not manifest["claim.v2"].get("gathered_assertions")
    assert len(manifest["claim.v2"]["created_assertions"]) == len(manifest["assertions"])
