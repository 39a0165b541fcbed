"""Invents what a clinic charges: one list of CPT and HCPCS codes, in a master fee schedule and in one for Medicare."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from cobalt_sandbox.invention.draw import Draw

Record = dict[str, Any]


class Code(NamedTuple):
    """One code: what the clinic charges, and what Medicare allows, in cents."""

    code: str
    name: str
    fee: int
    allowed: int


#: Visits of new patients, of known ones, and those that are only meant to prevent something.
VISITS: Final = (
    Code("99202", "OFFICE/OUTPATIENT VISIT NEW", 165_00, 72_88),
    Code("99203", "OFFICE/OUTPATIENT VISIT NEW", 245_00, 111_72),
    Code("99204", "OFFICE/OUTPATIENT VISIT NEW", 365_00, 167_40),
    Code("99211", "OFFICE/OUTPATIENT VISIT EST", 50_00, 23_19),
    Code("99212", "OFFICE/OUTPATIENT VISIT EST", 110_00, 56_61),
    Code("99213", "OFFICE/OUTPATIENT VISIT EST", 195_00, 91_38),
    Code("99214", "OFFICE/OUTPATIENT VISIT EST", 275_00, 129_25),
    Code("99215", "OFFICE/OUTPATIENT VISIT EST", 385_00, 182_10),
    Code("90791", "PSYCH DIAGNOSTIC EVALUATION", 340_00, 171_24),
    Code("90832", "PSYTX W PT 30 MINUTES", 150_00, 76_50),
    Code("90834", "PSYTX W PT 45 MINUTES", 195_00, 101_10),
    Code("90837", "PSYTX W PT 60 MINUTES", 280_00, 148_90),
    Code("96127", "BRIEF EMOTIONAL/BEHAV ASSMT", 20_00, 4_72),
    Code("G0402", "INITIAL PREVENTIVE EXAM", 330_00, 162_05),
    Code("G0438", "PPPS, INITIAL VISIT", 325_00, 159_90),
    Code("G0439", "PPPS, SUBSEQ VISIT", 260_00, 128_16),
    Code("99391", "PER PM REEVAL EST PAT INFANT", 190_00, 98_20),
    Code("99392", "PREV VISIT EST AGE 1-4", 205_00, 105_15),
    Code("99393", "PREV VISIT EST AGE 5-11", 205_00, 104_80),
    Code("99394", "PREV VISIT EST AGE 12-17", 225_00, 115_02),
    Code("99395", "PREV VISIT EST AGE 18-39", 230_00, 118_14),
    Code("99396", "PREV VISIT EST AGE 40-64", 245_00, 126_33),
    Code("99397", "PER PM REEVAL EST PAT 65+ YR", 265_00, 136_26),
)
TESTS: Final = (
    Code("36415", "ROUTINE VENIPUNCTURE", 25_00, 8_57),
    Code("80048", "METABOLIC PANEL TOTAL CA", 34_00, 8_46),
    Code("80053", "COMPREHEN METABOLIC PANEL", 45_00, 10_56),
    Code("80061", "LIPID PANEL", 55_00, 13_39),
    Code("81002", "URINALYSIS NONAUTO W/O SCOPE", 15_00, 3_48),
    Code("81025", "URINE PREGNANCY TEST", 28_00, 8_61),
    Code("82270", "OCCULT BLOOD FECES", 18_00, 4_38),
    Code("82962", "GLUCOSE BLOOD TEST", 14_00, 3_28),
    Code("83036", "GLYCOSYLATED HEMOGLOBIN TEST", 40_00, 9_71),
    Code("84443", "ASSAY THYROID STIM HORMONE", 65_00, 16_80),
    Code("85025", "COMPLETE CBC W/AUTO DIFF WBC", 32_00, 7_77),
    Code("85610", "PROTHROMBIN TIME", 18_00, 4_29),
    Code("86580", "TB INTRADERMAL TEST", 30_00, 9_42),
    Code("87804", "INFLUENZA ASSAY W/OPTIC", 48_00, 16_55),
    Code("87880", "STREP A ASSAY W/OPTIC", 45_00, 16_53),
    Code("93000", "ELECTROCARDIOGRAM COMPLETE", 75_00, 14_56),
    Code("94010", "BREATHING CAPACITY TEST", 95_00, 27_02),
    Code("94640", "AIRWAY INHALATION TREATMENT", 55_00, 9_90),
    Code("94760", "MEASURE BLOOD OXYGEN LEVEL", 15_00, 2_58),
)
PROCEDURES: Final = (
    Code("10060", "DRAINAGE OF SKIN ABSCESS", 290_00, 129_40),
    Code("11102", "TANGNTL BX SKIN SINGLE LES", 235_00, 103_66),
    Code("12001", "RPR S/N/AX/GEN/TRNK 2.5CM/<", 240_00, 97_20),
    Code("17000", "DESTRUCT PREMALG LESION", 155_00, 66_21),
    Code("17110", "DESTRUCT B9 LESION 1-14", 245_00, 112_75),
    Code("20610", "DRAIN/INJ JOINT/BURSA W/O US", 170_00, 64_60),
    Code("49082", "ABD PARACENTESIS", 320_00, 191_28),
    Code("69210", "REMOVE IMPACTED EAR WAX UNI", 110_00, 48_19),
    Code("90471", "IMMUNIZATION ADMIN", 45_00, 20_15),
    Code("90472", "IMMUNIZATION ADMIN EACH ADD", 30_00, 15_27),
    Code("90686", "IIV4 VACC NO PRSV 0.5 ML IM", 38_00, 21_52),
    Code("90707", "MMR VACCINE SC", 120_00, 92_76),
    Code("90715", "TDAP VACCINE 7 YRS/> IM", 75_00, 41_18),
    Code("96372", "THER/PROPH/DIAG INJ SC/IM", 45_00, 13_93),
)
#: Drugs, each with its NDC and what a unit costs.
DRUGS: Final = {
    Code("J1100", "DEXAMETHASONE SODIUM PHOS", 8_00, 12): ("99999-0110-01", "ML", 8),
    Code("J1885", "KETOROLAC TROMETHAMINE INJ", 40_00, 84): ("99999-0188-05", "ML", 35),
    Code("J3301", "TRIAMCINOLONE ACET INJ NOS", 12_00, 1_93): ("99999-0330-10", "ML", 1_15),
    Code("J3420", "VITAMIN B12 INJECTION", 15_00, 2_46): ("99999-0342-01", "ML", 90),
}
#: No longer in use, and kept.
RETIRED: Final = (
    Code("76645", "US EXAM BREAST(S)", 185_00, 0),
    Code("80100", "DRUG SCREEN QUALITATE/MULTI", 60_00, 0),
    Code("90718", "TD VACCINE > 7, IM", 45_00, 0),
    Code("99201", "OFFICE/OUTPATIENT VISIT NEW", 95_00, 0),
    Code("99241", "OFFICE CONSULTATION", 140_00, 0),
)

CODES: Final[Mapping[str, Code]] = {each.code: each for each in (*VISITS, *TESTS, *PROCEDURES, *DRUGS)}
NO_DRUG: Final = {"code": None, "units": None, "uom": None, "unit_price": None}


def contracted(code: Code) -> int:
    """What insurers other than Medicare allow, a third more; never above the charge. In cents."""
    return min(code.fee, code.allowed * 4 // 3)


def invented_fee_schedules(draw: Draw) -> tuple[list[Record], list[Record]]:
    """Both schedules, and the items of both: the same codes under item ids and amounts of their own."""
    master, medicare = (
        {
            "id": draw.id(),
            "emr_id": str(number),
            "name": name,
            "description": description,
            "sub_name": description,
            "is_master": number == 1,
            "taxable": False,
            "effective_from": begins,
            "effective_to": ends,
        }
        for number, name, description, begins, ends in (
            (1, "Master Fee Schedule", "", None, None),
            (2, "Medicare Fee Schedule", "Medicare Part B, participating", "2024-01-01", "2034-12-31"),
        )
    )
    numbers = draw.numbers(170_000)
    codes = [*CODES.values(), *RETIRED]
    items = [_item(master, next(numbers), code, code.fee, contracted(code)) for code in codes]
    # Medicare is charged a fifth above what it allows, and nothing for what it no longer knows.
    items += [_item(medicare, next(numbers), code, code.allowed * 6 // 5, code.allowed) for code in codes]
    return [master, medicare], items


def _item(schedule: Record, number: str, code: Code, fee: int, allowed: int) -> Record:
    ndc, unit, cost = DRUGS.get(code, (None, None, 0))
    drug = {"code": ndc, "units": "1", "uom": unit, "unit_price": f"{cost / 100:.2f}"} if ndc else NO_DRUG
    is_copaid = code in VISITS and not schedule["is_master"] and not is_preventive(code.code)
    return {
        "fee_schedule_id": schedule["id"],
        "item_id": number,
        "code": code.code,
        "name": code.name,
        "fee": fee / 100,
        "allowed_fee": allowed / 100,
        "cost": cost / 100,
        "patient_portion": allowed // 5 / 100 if is_copaid else 0.0,
        **({"pos": "11", "tos": "1"} if code in VISITS else {}),
        "ndc": drug,
        **({"exclude_cpt": True, "validity": "invalid"} if code in RETIRED else {}),
    }


def is_preventive(code: str) -> bool:
    """Whether insurers pay it in full: visits that prevent, and vaccines."""
    return code.startswith(("9938", "9939", "G04", "9047", "906", "907")) and code != "90791"
