"""Words that say what the value beside them is: labels by kind. Tables only; `labels.py` finds them in a text.

A kind is an entity type, or `OTHER` for values that only look like personal data (orders, tickets, goods), or one of
the auxiliary kinds SYMBOL and NUMBER (記号, 番号: health insurance and ゆうちょ share them), NAME and GENDER (columns of
a roster) and DATE (dates that are not births). Longest match wins, so 雇用保険被保険者番号 (OTHER) beats 被保険者番号.
English words match whole words in any case.

Sources: 厚生労働省 被保険者証 様式, 日本年金機構 届書様式, 全国銀行協会 振込依頼書, 総務省 電気通信番号計画.
"""

from __future__ import annotations

OTHER = "OTHER"

_WORDS: dict[str, str] = {
    "MY_NUMBER": (
        "個人番号 マイナンバー まいなんばー マイナ番号 個人ナンバー 個人番号カード マイナンバーカード 通知カード kojin_bango "
        "tax|id my|number mynumber my_number my-number individual|number kojinbango"
    ),
    "PHONE_NUMBER": (
        "電話 電話番号 市外局番 でんわ でんわばんごう デンワ デンワバンゴウ 携帯 携帯番号 携帯電話 ケータイ けいたい tel fax phone telephone mobile cell cellphone cell|phone "
        "ファックス ファクス 連絡先 れんらく先 緊急連絡先 直通 代表 内線 折り返し 折返し 折返し先 通話先 発信先 着信先 発信元 発信者番号 着信番号 発信番号 msisdn caller callee ダイヤルイン フリーダイヤル ナビダイヤル 着信 callback call "
        "phonenumber mobilenumber mobilephone homephone contactnumber faxnumber phoneno tel_no phone_number phone|number contact|number ext ext. extension 内線番号 telno mobile_phone office|line dial ダイヤル "
        "ring|me|on ring|me|at call|me|on call|me|at denwa denwa_no denwa_bango keitai 手机 手機 联系电话 联系方式 电话 電話號碼 전화 전화번호 휴대폰 핸드폰 연락처 phs"
    ),
    "EMAIL_ADDRESS": (
        "メールアドレス メアド e-mail email mail eメール アドレス email|address emailaddress mailaddress mail_address"
    ),
    "DATE_OF_BIRTH": (
        "生年月日 出生日 出生年月日 出生日時 誕生日 お誕生日 バースデー 生まれ dob d.o.b. d.o.b birth birthday birthdate birth_date birth|date "
        "dateofbirth d/o/b bday bd birth_day birth birthdate_ymd seinengappi 誕生年月日 生まれた日 生日 生誕 生れ 出生年月 birthdt birthymd date|of|birth date_of_birth born 生年 誕生 b. せいねんがっぴ セイネンガッピ たんじょうび たんじょう日 うまれた日 生れた日 생년월일 생일 출생 生日"
    ),
    "CREDIT_CARD": (
        "クレジットカード クレジット クレカ カード番号 カードナンバー カード credit|card card|number card card_no card_number cardnumber cardno creditcardnumber visa ビザ mastercard "
        "マスターカード jcb amex diners ダイナース american|express discover アメックス card|no デビットカード"
    ),
    "BANK_ACCOUNT": (
        "口座番号 こうざばんごう コウザバンゴウ こうざ 口座 普通預金 普通口座 普通 当座預金 当座 貯蓄 貯蓄預金 定期預金 定期 別段預金 別段 (普) (当) 振込先 振込口座 返金先 返金口座 引落口座 給与口座 証券口座 "
        "ゆうちょ ゆうちょ銀行 郵便貯金 account|number account|no account a/c a/c|no bank|account ordinary ordinary|account savings "
        "accountnumber bankaccountnumber accountno account_number account_no bank_account acct acct|no checking iban 信用金庫 信金 信用組合 銀行 農協 ja 労金 労働金庫 bank bankaccount "
        "ふつう とうざ フツウ トウザ 三井住友 三菱ufj りそな futsu futsuu futsuu_yokin kouza kouza_no kouza_bango kouzabango koza koza_bango kozabango 口座no bankacct bank_acct acctno acct_no 通帳 通帳番号 貯金 預金 預金口座 普通no 支店"
    ),
    "DRIVERS_LICENSE": (
        "運転免許 めんきょしょう めんきょ 運転免許証 免許証 免許証番号 運転免許証番号 免許番号 免許 運転経歴証明書 二種免許 原付免許 driver's|license driver's|licence drivers|license "
        "driver|license driving|licence driving|license license|no licence|no licence|number license|number licence license "
        "driverslicense driverslicensenumber driverlicensenumber licensenumber licenseno drivers_license driver_license license_no driver's|license|number"
    ),
    "PASSPORT": (
        "旅券 旅券番号 旅券no passports passport|num passport_num パスポートno パスポートナンバー ppt ppt|no パスポート パスポート番号 ぱすぽーと passport passport|no passport|number passport_no passport_number passportnumber passportno 護照 公用旅券 여권"
    ),
    "RESIDENCE_CARD": (
        "在留カード 在留カード番号 在留番号 特別永住者証明書 特別永住者 residence|card residence|card|number residence_card zairyu zairyu|card 在留 arc arc|no arc|number zairyu_card zairyu_no special|permanent|resident|certificate residencecard residencecardnumber residence_card_no residence_card_number 在留カードno"
    ),
    "PENSION_NUMBER": (
        "基礎年金番号 年金番号 年金手帳 年金 ねんきん ねんきん定期便 基礎年金 pension|number pension|no pension basic|pension|number pension|book pension_number pensionnumber "
        "年金の番号 年金証書 年金証書番号 年金コード 年金手帳番号 年金手帳の記号番号 年金手帳記号番号 基年番 基年番号 厚年 nenkin nenkin_no nenkin_bango kisonenkinbango kiso_nenkin_bango kisonenkin kiso_nenkin pension pension_no pensionno 遺族年金 障害年金 厚生年金 国民年金 老齢年金"
    ),
    "HEALTH_INSURANCE": (
        "保険証 けんぽ 健康保険証 健康保険 被保険者証 保険者番号 保険者 被保険者番号 被保険者記号 記号番号 記号・番号 記号 国保 健保 社保 後期高齢 後期高齢者 介護保険証 介護保険 "
        "任意継続 限度額適用認定証 資格確認書 資格情報 insurance|card insurer|no insurer|number health|insurance symbol symbol/number "
        "insured|number insurernumber insurednumber insurer_number insured_number 被保番 被保番号 被保険者no ins ins_no hoken_no hokensha 国民健康保険 共済 保険証番号 介護保険被保険者番号 療養費 受給券 insurer"
    ),
    "POSTAL_CODE": (
        "郵便番号 postal postalcode postal_cd postal_no postno zip_cd zipcode1 yubin_bango yuubin_bangou 〒番号 郵便no 〒 郵便 〠 ゆうびん番号 郵便コード postalcd zipcd post_code zip zipcode zip|code zip_code postal|code postcode postal_code postal|no yubin 郵便No ゆうびんばんごう ユウビンバンゴウ"
    ),
    "ADDRESS": (
        "住所 じゅうしょ ジュウショ ご住所 現住所 自宅住所 届け先 お届け先 届先 送付先 送り先 返送先 配送先 住居地 本籍 所在地 所在 居所 勤務地 実家 自宅 転居先 転出先 転入先 新居 旧居 物件 "
        "宿舎 address home|address addr shipping|address 住まい お住まい homeaddress streetaddress shippingaddress billingaddress mailingaddress street_address 設置場所 設置先 事故場所 作業場所 耕作地 滞在先 避難所 新住所 旧住所 現場 "
        "番地 場所 地番 宛先 配達先 帰省先 address1 address2 住所1 住所2"
    ),
    "SYMBOL": "記号",
    "NUMBER": "番号 no. no № ナンバー number",
    "NAME": (
        "氏名 名前 お名前 姓 名 フリガナ ふりがな カナ 氏名カナ name 患者 患者名 受診者 利用者 本人 世帯主 名義 申請人 保護者 被相続人 生徒 園児 児童 選手 長男 長女 次男 "
        "次女 三男 三女 夫 妻 父 母 子 孫 full_name given_name family_name 搭乗者 扶養親族 被保険者 組合員 会員名 受取人 契約者 連帯保証人 保証人 従業員 児 生徒名 利用者名 申立人 被後見人 相談者 親権者 配偶者 祖父 祖母 弟 妹 兄 姉"
    ),
    "GENDER": "性別 男性 女性 男 女 sex gender",
    "DATE": (
        "有効期限 期限 有効 交付 交付日 発行日 発行 作成日 契約日 契約 入社日 入社 退職日 退職 加入日 登録日 登録 受付日 受付 受診日 受診 診断日 初診日 初診 購入日 注文日 "
        "発送日 到着日 配達日 届出 届出日 納期 締切 開始日 終了日 開始 終了 施行 施行日 更新 更新日 改定 改正 判決 事故日時 発生日 死亡日 死亡 没年 没年月日 命日 取得日 喪失日 喪失 "
        "予約 予約日 出産予定日 予定日 expires exp expiry issued date 日付 日時 年月日 寄附年月日 created updated since until deadline due 結婚 資格取得 入学 卒業 "
        "出発 到着 入院 退院 手術 撮影 公開 開催 expiration valid timestamp start hired joined 証明日 支払日 請求日 宿泊 チェックイン 現在 created_at updated_at 開業 設立 負傷 受傷 発症 発病 採用 入団 入会 着任 就任 上場 発売 証明年月日 認定 改訂"
    ),
    OTHER: (
        "po rma 注文番号 注文no 注文 受注番号 発注番号 発注 伝票番号 伝票 送り状番号 送り状 追跡番号 追跡 出荷指図 出荷 納品書番号 納品書 納品 指図書 作業番号 お問い合わせ番号 お問合せ番号 問い合わせ番号 問合せ番号 お問合せno 問合せno 配送番号 荷物番号 "
        "管理番号 受付番号 整理番号 案件番号 案件 請求書番号 請求番号 請求書 見積番号 見積書番号 見積 契約番号 証券番号 保険証券 契約者番号 会員番号 会員id 会員no 会員 顧客番号 顧客id 顧客コード "
        "お客様番号 お客様コード 社員番号 社員コード 従業員番号 従業員コード 社員id 職員番号 学籍番号 学生番号 生徒番号 出席番号 受験番号 患者番号 患者id カルテ番号 カルテ 診察券番号 診察券 受給者番号 "
        "法人番号 会社法人等番号 登録番号 インボイス番号 インボイス 適格請求書 事業者番号 許可番号 免許登録 認可番号 製造番号 シリアル番号 シリアル シリアルno 型番 品番 商品番号 商品コード "
        "製品番号 部品番号 ロット番号 ロット lot バーコード jan janコード isbn issn 図書 便名 便 予約番号 確認番号 承認番号 認証番号 認証コード 暗証番号 パスワード パスコード ワンタイム otp pin "
        "セキュリティコード cvv cvc 有効期限 店番 支店コード 支店番号 銀行コード 金融機関コード 店番号 枝番 車両番号 車台番号 車体番号 ナンバープレート 事件番号 判決 受理番号 届出番号 "
        "雇用保険被保険者番号 雇用保険 雇用保険番号 労災 労働保険番号 労働保険 事業所番号 事業所整理記号 事業所コード 医療機関コード 医療機関番号 コード code ミーティングid 会議id zoom meeting|id "
        "order|no order|number order order_id order_no tracking tracking|number tracking|no invoice invoice|no ticket ticket|no case|no serial serial|no "
        "s/n sku model version ver employee|id employee|no member|id member|no customer|id customer|no policy|no policy|number policy "
        "reservation confirmation booking flight room product|code product part|no id uuid hash commit build port pid error errno req request_id "
        "transaction txn 取引番号 取引id 申込番号 申請番号 申請 文書番号 通知書番号 金額 価格 合計 残高 料金 単価 数量 容量 抽選番号 くじ 当選番号 組番号 "
        "定期券 定期点検 定期健診 定期検査 定期検診 定期便 定期購読 定期購入 定期演奏会 定期総会 定期試験 定期刊行 定期借家 定期清掃 定期メンテナンス 定期船 "
        "アクセスキー 振替番号 口座振替番号 加入者番号 規約番号 団体コード 自治体コード 市区町村コード 都道府県コード 地域コード 局番 系統 決算 ポイント ポイント番号 ポイントカード 会員カード 診察番号 "
        "自賠責 証明書番号 照会番号 審査番号 レジ番号 ssid bssid imei imsi 申告番号 ギフトカード ギフト プリペイド 楽天id coe|no container バージョン 事業者登録番号 問い合わせ お問い合わせ no.印 普通列車 普通車 普通電車 普通郵便 普通紙 普通自動車 普通徴収 普通教室 普通科 口座数 誕生日会 誕生会 誕生日パーティー 誕生日プレゼント 誕生日ケーキ 誕生日カード 誕生日祝い 誕生月 認定番号 貸出番号"
    ),
}


def vocabulary() -> dict[str, str]:
    """Label (ASCII in lower case, spaces as spaces) to kind; a label listed twice keeps the first kind."""
    table: dict[str, str] = {}
    for kind, words in _WORDS.items():
        for word in words.split():
            table.setdefault(word.replace("|", " ").lower(), kind)
    return table
